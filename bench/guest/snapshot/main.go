// Snapshot is a guest for the benchmarks of snapshots.
package main

import (
	"encoding/json"

	"github.com/airlockvm/airlock/guest"
)

const pageSize = 4096

// pages are there before a snapshot is taken, so that to write to them changes
// no page tables.
var pages = make([]byte, 1100*pageSize)

// decode is a call that allocates: it returns how many objects there are in a JSON
// list.
func decode(text []byte) (int64, error) {
	var list []any
	err := json.Unmarshal(text, &list)
	return int64(len(list)), err
}

func main() {
	for i := 0; i < len(pages); i += pageSize {
		pages[i] = 1
	}
	guest.Export("Echo", func(text string) string { return text })
	guest.Export("Dirty", func(n int64) {
		for i := range n {
			pages[i*pageSize]++
		}
	})
	guest.Export("Decode", decode)
	guest.Serve()
}
