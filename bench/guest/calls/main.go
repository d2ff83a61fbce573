// Command calls serves the function calls that are measured.
package main

import (
	"strings"

	"github.com/airlockvm/airlock/guest"
)

// settle allocates more than the heap holds before its first collection, so that
// from then on what calls allocate is memory that was used before. Tens of
// thousands of calls would do the same.
func settle() {
	for range 16 << 20 / 64 {
		_ = strings.Repeat("x", 64)
	}
}

func main() {
	guest.Export("Settle", settle)
	ask := guest.Import[func(string) (string, error)]("Ask")
	guest.Export("Echo", func(text string) string { return text })
	guest.Export("EchoBytes", func(data []byte) []byte { return data })
	guest.Export("Third", func(data []byte) []byte { return data[:len(data)/3] })
	guest.Export("Length", func(data []byte) int64 { return int64(len(data)) })
	guest.Export("Ask", func(text string) (string, error) { return ask(text) })
	guest.Serve()
}
