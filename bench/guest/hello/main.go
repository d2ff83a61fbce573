// Command hello is the smallest Go program that says something.
package main

import (
	"fmt"
	"os"
)

func main() {
	_, _ = fmt.Fprintln(os.Stdout, "Hello, World!") // nobody to tell
}
