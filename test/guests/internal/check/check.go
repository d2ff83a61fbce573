// Package check is the few lines that the self-checking Go guests share.
package check

import (
	"fmt"
	"os"
	"runtime"
)

// That ends the program with exit code 1 and the caller's position unless ok
// holds.
func That(ok bool, format string, args ...any) {
	if !ok {
		fail(fmt.Sprintf(format, args...))
	}
}

// OK ends the program with exit code 1 if err is not nil.
func OK(err error) {
	if err != nil {
		fail("unexpected error: " + err.Error())
	}
}

// Equal ends the program with exit code 1 unless got equals want.
func Equal[T comparable](got, want T) {
	if got != want {
		fail(fmt.Sprintf("got %v, want %v", got, want))
	}
}

// Success prints the line that every self-checking guest ends with.
func Success() {
	fmt.Println("SUCCESS")
}

func fail(message string) {
	_, file, line, _ := runtime.Caller(2)
	fmt.Fprintf(os.Stderr, "%s:%d: %s\n", file, line, message)
	os.Exit(1)
}
