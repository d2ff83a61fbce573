// Command calls serves the function calls that are measured.
package main

import "github.com/airlockvm/airlock/guest"

func main() {
	ask := guest.Import[func(string) (string, error)]("Ask")
	guest.Export("Echo", func(text string) string { return text })
	guest.Export("EchoBytes", func(data []byte) []byte { return data })
	guest.Export("Third", func(data []byte) []byte { return data[:len(data)/3] })
	guest.Export("Length", func(data []byte) int64 { return int64(len(data)) })
	guest.Export("Ask", func(text string) (string, error) { return ask(text) })
	guest.Serve()
}
