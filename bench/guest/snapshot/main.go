// Snapshot is a guest for the benchmarks of snapshots.
package main

import (
	"github.com/airlockvm/airlock/guest"
)

const pageSize = 4096

// pages are there before a snapshot is taken, so that to write to them changes
// no page tables.
var pages = make([]byte, 1100*pageSize)

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
	guest.Serve()
}
