// Four goroutines locked to their own threads, and main, spin for ever.
// want: timeout
package main

import "runtime"

func main() {
	runtime.GOMAXPROCS(4)
	for range 4 {
		go func() {
			runtime.LockOSThread()
			for {
			}
		}()
	}
	for {
	}
}
