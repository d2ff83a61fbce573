// Prints its arguments and its sorted environment; the first argument is the exit code.
// want: exit 7
// stdout: env B=two words
// args: 7 second third
// env: B=two\swords A=1
package main

import (
	"fmt"
	"os"
	"slices"
	"strconv"
)

func main() {
	for i, arg := range os.Args[1:] {
		fmt.Printf("arg %d %q\n", i+1, arg)
	}
	env := os.Environ()
	slices.Sort(env)
	for _, kv := range env {
		fmt.Println("env " + kv)
	}
	code, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
