// Runs 10 000 goroutines with channels, timers, select, WaitGroup, Cond, Once and context timeouts.
// want: exit 0
// stdout: SUCCESS
// memory: 128MiB
package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

const count = 10_000

// pipeline passes one value through a chain of count goroutines.
func pipeline() {
	first := make(chan int)
	in := first
	for range count {
		from, to := in, make(chan int)
		go func() { to <- 1 + <-from }()
		in = to
	}
	first <- 0
	check.Equal(<-in, count)
}

// fanIn lets every goroutine wait for a timer, a cancelled context or a value.
func fanIn() {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	var timers, cancels, values atomic.Int64
	ready := make(chan struct{})
	var wg sync.WaitGroup
	for i := range count {
		wg.Go(func() {
			var value chan struct{}
			timer := time.NewTimer(time.Hour)
			defer timer.Stop()
			switch i % 3 {
			case 0:
				timer.Reset(time.Duration(1+i%20) * time.Millisecond)
			case 1:
				value = ready
			}
			done := ctx.Done()
			if i%3 != 2 {
				done = nil
			}
			select {
			case <-timer.C:
				timers.Add(1)
			case <-done:
				check.That(errors.Is(ctx.Err(), context.DeadlineExceeded), "ctx: %v", ctx.Err())
				cancels.Add(1)
			case <-value:
				values.Add(1)
			}
		})
	}
	close(ready)
	wg.Wait()
	check.Equal(timers.Load(), 3334)
	check.Equal(values.Load(), 3333)
	check.Equal(cancels.Load(), 3333)
}

// crowd uses the blocking types of package sync.
func crowd() {
	var (
		mu      sync.RWMutex
		once    sync.Once
		wg      sync.WaitGroup
		total   int
		onces   int
		arrived int
	)
	cond := sync.NewCond(&mu)
	for range count {
		wg.Go(func() {
			once.Do(func() { onces++ })
			mu.Lock()
			arrived++
			if arrived == count {
				cond.Broadcast()
			}
			for arrived < count {
				cond.Wait()
			}
			total += onces
			mu.Unlock()
			mu.RLock()
			defer mu.RUnlock()
			check.Equal(arrived, count)
		})
	}
	wg.Wait()
	check.Equal(total, count)
}

func main() {
	pipeline()
	fanIn()
	crowd()
	check.Success()
}
