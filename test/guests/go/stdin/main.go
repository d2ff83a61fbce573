// Reads all of stdin and prints the number of bytes and their SHA-256.
// want: exit 0
// stdout: 160000 d1bdb97c1258bc110cac654fe71b352fc05b7e68f0431ebc38f516aff1844b5b
// stdin: airlock\n
// stdin-repeat: 20000
package main

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

func main() {
	sum := sha256.New()
	n, err := io.Copy(sum, os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d %x\n", n, sum.Sum(nil))
}
