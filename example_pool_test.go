package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync"
	"time"

	"github.com/airlockvm/airlock"
)

func ExampleNewPool() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool, err := airlock.NewPool(ctx, snap, airlock.PoolOptions{Sandbox: countingOptions()})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	fmt.Println(airlock.Call[int64](ctx, pool, "Count"))
	// Output: 1 <nil>
}

// At most 8 sandboxes at a time, 2 of which wait for their first use.
func ExamplePoolOptions() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool, err := airlock.NewPool(ctx, snap, airlock.PoolOptions{Size: 8, Warm: 2, Sandbox: countingOptions()})
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	stats := pool.Stats()
	fmt.Println(stats.Size, stats.Idle)
	// Output: 8 2
}

func ExamplePoolStats() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	defer pool.Close()
	for range 5 {
		if _, err := pool.Call(ctx, "Count"); err != nil {
			log.Fatal(err)
		}
	}
	stats := pool.Stats()
	fmt.Println(stats.Uses, "uses,", stats.Made, "sandboxes,", stats.Restored, "restores")
	// Output: 5 uses, 1 sandboxes, 5 restores
}

func ExamplePool_Stats() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	defer pool.Close()
	err := pool.Do(ctx, func(*airlock.Sandbox) error {
		fmt.Println("busy:", pool.Stats().Busy)
		return nil
	})
	fmt.Println(err, "busy:", pool.Stats().Busy)
	// Output:
	// busy: 1
	// <nil> busy: 0
}

// Many goroutines, few sandboxes: who finds none waits, as long as its context
// allows.
func ExamplePool_Call() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	defer pool.Close()
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if n, err := pool.Call(ctx, "Count"); n != int64(1) || err != nil {
				log.Fatal(n, err)
			}
		})
	}
	wg.Wait()
	fmt.Println(pool.Stats().Uses)
	// Output: 10
}

// Several calls that belong together.
func ExamplePool_Do() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	defer pool.Close()
	var text string
	err := pool.Do(ctx, func(sb *airlock.Sandbox) (err error) {
		if _, err = sb.Call(ctx, "Set", "kept until the end of this function"); err != nil {
			return err
		}
		text, err = airlock.Call[string](ctx, sb, "Get")
		return err
	})
	fmt.Println(text, err)
	fmt.Println(pool.Call(ctx, "Get"))
	// Output:
	// kept until the end of this function <nil>
	//  <nil>
}

// A new version of the guest takes over, use by use.
func ExamplePool_Use() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	defer pool.Close()
	sb := newCounting(ctx)
	defer sb.Close()
	if _, err := sb.Call(ctx, "Set", "the new one"); err != nil {
		log.Fatal(err)
	}
	next, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer next.Close()
	fmt.Println(pool.Use(next))
	fmt.Println(pool.Call(ctx, "Get"))
	// Output:
	// <nil>
	// the new one <nil>
}

// Uses in progress are cancelled.
func ExamplePool_Close() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	running := make(chan error)
	go func() { _, err := pool.Call(ctx, "Spin"); running <- err }()
	for pool.Stats().Busy == 0 {
		time.Sleep(time.Millisecond)
	}
	fmt.Println(pool.Close())
	fmt.Println(errors.Is(<-running, airlock.ErrClosed))
	// Output:
	// <nil>
	// true
}

// Uses in progress may end, if they do it soon.
func ExamplePool_Shutdown() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	begun, ended := make(chan bool), make(chan error)
	go func() {
		ended <- pool.Do(ctx, func(sb *airlock.Sandbox) error {
			close(begun)
			_, err := sb.Call(ctx, "Count")
			return err
		})
	}()
	<-begun
	soon, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	fmt.Println(pool.Shutdown(soon), <-ended)
	// Output: <nil> <nil>
}

func ExampleErrPoolClosed() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	pool := newCountingPool(ctx, snap)
	if err := pool.Close(); err != nil {
		log.Fatal(err)
	}
	_, err := pool.Call(ctx, "Count")
	fmt.Println(errors.Is(err, airlock.ErrPoolClosed))
	// Output: true
}

// newCountingPool makes a pool with one sandbox.
func newCountingPool(ctx context.Context, snap *airlock.Snapshot) *airlock.Pool {
	pool, err := airlock.NewPool(ctx, snap, airlock.PoolOptions{Size: 1, Sandbox: countingOptions()})
	if err != nil {
		log.Fatal(err)
	}
	return pool
}
