// Package faults makes system calls fail when a test asks for it, one at a time,
// so that every place where the kernel can say no is tried once.
//
// It is off by default and then costs one atomic load per system call.
package faults

import (
	"errors"
	"sync/atomic"
)

// Err is what an injected failure returns.
var Err = errors.New("failure that a test asked for")

// countdown is how many calls from now the one that fails is; 0 is off.
var countdown atomic.Int64

// FailNth makes the nth call of Check from now return Err, 1 being the next, and
// all others succeed. It returns a function that turns this off and reports
// whether it was reached. One test at a time.
func FailNth(n int64) (stop func() (reached bool)) {
	countdown.Store(n)
	return func() bool { return countdown.Swap(0) == 0 }
}

// Check returns Err if this call is to fail. It is called before a system call
// instead of which its error is returned.
func Check() error {
	for {
		n := countdown.Load()
		if n == 0 {
			return nil
		}
		if countdown.CompareAndSwap(n, n-1) {
			if n == 1 {
				return Err
			}
			return nil
		}
	}
}
