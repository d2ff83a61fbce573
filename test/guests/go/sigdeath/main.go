// A signal without a handler ends a Go program as it ends a C program.
// want: signal SIGTERM
package main

import (
	"syscall"
	"time"
)

func main() {
	_ = syscall.Kill(syscall.Getpid(), syscall.SIGTERM)
	time.Sleep(time.Hour)
}
