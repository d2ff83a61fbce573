// Prompts for lines and prints each back, as an interactive program does.
// want: exit 0
// stdout: 3 lines
// stdin: one\ntwo\n\x74hree
package main

import (
	"bufio"
	"fmt"
	"os"
)

func main() {
	in := bufio.NewScanner(os.Stdin)
	lines := 0
	for fmt.Print("> "); in.Scan(); fmt.Print("> ") {
		fmt.Println(in.Text())
		lines++
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("\n%d lines\n", lines)
}
