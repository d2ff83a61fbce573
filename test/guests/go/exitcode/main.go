// Exits with the code that its argument names, from a goroutine that is not main's.
// want: exit 42
// args: 42
package main

import (
	"os"
	"strconv"
)

func main() {
	code, err := strconv.Atoi(os.Args[1])
	if err != nil {
		code = 1
	}
	go os.Exit(code)
	select {}
}
