// Line is what somebody would run instead of a sandbox: a process that reads a
// line and writes it back.
package main

import (
	"bufio"
	"os"
)

func main() {
	line, err := bufio.NewReader(os.Stdin).ReadString('\n')
	if err != nil {
		os.Exit(1)
	}
	if _, err := os.Stdout.WriteString(line); err != nil {
		os.Exit(1)
	}
}
