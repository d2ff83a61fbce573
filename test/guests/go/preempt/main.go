// A goroutine in a tight loop starves neither other goroutines, nor timers, nor the collector.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	runtime.GOMAXPROCS(1)
	start := time.Now()
	go func() {
		for {
		}
	}()
	var ran atomic.Int64
	go func() {
		for {
			ran.Add(1)
			runtime.Gosched()
		}
	}()
	for range 10 {
		before := ran.Load()
		time.Sleep(time.Millisecond)
		for ran.Load() == before {
			runtime.Gosched()
		}
	}
	runtime.GC() // needs every goroutine to stop

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	check.Equal(ctx.Err(), context.DeadlineExceeded)
	took := time.Since(start)
	check.That(took < 60*time.Second, "took %v", took)
	check.Success()
}
