// Recurses until the goroutine's stack has grown to 64 MiB, with pointers into it kept right.
// want: exit 0
// stdout: SUCCESS
// memory: 256MiB
package main

import (
	"runtime"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const depth = 130_000

var deepest runtime.MemStats // as read at the bottom of the recursion

// dig uses about 300 bytes of stack per call and checks its frame on the way back.
func dig(n int, up *int) int {
	var frame [32]int
	frame[n%32] = n
	if n == 0 {
		runtime.ReadMemStats(&deepest)
		return 0
	}
	got := 1 + dig(n-1, &frame[n%32])
	check.Equal(frame[n%32], n)
	if up != nil {
		check.Equal(*up, n+1)
	}
	return got
}

func main() {
	done := make(chan int)
	go func() {
		done <- dig(depth, nil)
	}()
	check.Equal(<-done, depth)
	check.That(deepest.StackInuse >= 64<<20, "the stack needed only %d bytes", deepest.StackInuse)
	check.Success()
}
