// For GOMAXPROCS 1 to 4: parallel work, mutex contention, atomics and channel hand-offs.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const (
	workers = 8
	rounds  = 20_000
)

func contend() {
	var (
		mu      sync.Mutex
		wg      sync.WaitGroup
		plain   int
		counter atomic.Int64
		table   sync.Map
	)
	for id := range workers {
		wg.Go(func() {
			for range rounds {
				mu.Lock()
				plain++
				mu.Unlock()
				counter.Add(1)
			}
			table.Store(id, sieve(20_000))
		})
	}
	wg.Wait()
	check.Equal(plain, workers*rounds)
	check.Equal(counter.Load(), workers*rounds)
	table.Range(func(_, primes any) bool {
		check.Equal(primes.(int), 2262)
		return true
	})
}

func sieve(limit int) int {
	composite := make([]bool, limit)
	primes := 0
	for i := 2; i < limit; i++ {
		if composite[i] {
			continue
		}
		primes++
		for j := i * i; j < limit; j += i {
			composite[j] = true
		}
	}
	return primes
}

// pingPong forces a hand-off between two locked threads for every message.
func pingPong() {
	ping, pong := make(chan int), make(chan int)
	go func() {
		runtime.LockOSThread()
		for v := range ping {
			pong <- v + 1
		}
		close(pong)
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for i := range 300 {
		ping <- i
		check.Equal(<-pong, i+1)
	}
	close(ping)
	<-pong
}

func main() {
	for procs := 1; procs <= 4; procs++ {
		runtime.GOMAXPROCS(procs)
		check.Equal(runtime.GOMAXPROCS(0), procs)
		contend()
		pingPong()
		runtime.GC()
	}
	check.Success()
}
