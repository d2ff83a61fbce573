// Prints for ever.
// want: timeout
package main

import (
	"bytes"
	"os"
)

func main() {
	line := append(bytes.Repeat([]byte{'x'}, 1023), '\n')
	for {
		if _, err := os.Stdout.Write(line); err != nil {
			os.Exit(1)
		}
	}
}
