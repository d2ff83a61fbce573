// All goroutines sleep for ever: the Go runtime notices and exits with code 2.
// want: exit 2
package main

import "sync"

func main() {
	var mu sync.Mutex
	mu.Lock()
	done := make(chan struct{})
	go func() {
		mu.Lock()
		close(done)
	}()
	<-done
}
