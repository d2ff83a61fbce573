package test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// together makes and closes sandboxes at the same time, more than are taken apart at
// once in the background: Go's runtime keeps the threads that this takes.
func together(t *testing.T, g *airlock.Guest) {
	t.Helper()
	for range 3 {
		var list []*airlock.Sandbox
		for range 20 {
			sandbox, err := airlock.New(t.Context(), g, airlock.Options{})
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, sandbox)
		}
		for _, sandbox := range list {
			if err := sandbox.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestCycles makes, runs and closes many sandboxes, one after the other: nothing
// may grow. TestMain looks for leaks too, but not after so few and equal steps.
func TestCycles(t *testing.T) {
	const cycles = 200
	g := guest(t, "c-glibc-hello")
	cycle := func() {
		out := newOutput()
		sandbox, err := airlock.New(t.Context(), g, airlock.Options{})
		if err != nil {
			t.Fatal(err)
		}
		code, err := sandbox.Run(t.Context(), airlock.Process{Stdout: out})
		if code != 0 || err != nil || out.String() != "Hello, World!\n" {
			t.Fatalf("code %d, error %v, output %q", code, err, out)
		}
		if err := sandbox.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	together(t, g)
	before, _ := settledCensus(t)
	for range cycles {
		cycle()
	}
	flat(t, before) // sandboxes are taken apart after Close
	after, err := census()
	if err != nil {
		t.Fatal(err)
	}
	// One may be needed for the garbage collector or a timer at a bad moment.
	if after.threads > before.threads+runtime.GOMAXPROCS(0)+2 {
		t.Errorf("%d threads instead of %d", after.threads, before.threads)
	}
	runtime.KeepAlive(g)
}

// TestUnusedSandbox makes sandboxes and closes them without a run.
func TestUnusedSandbox(t *testing.T) {
	t.Parallel()
	g := guest(t, "c-glibc-hello")
	for range 20 {
		sandbox, err := airlock.New(t.Context(), g, airlock.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := sandbox.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRandomCancels cancels and closes sandboxes at random moments of all kinds
// of programs, from many goroutines. The race detector finds the most here.
func TestRandomCancels(t *testing.T) {
	t.Parallel()
	guests := []*airlock.Guest{probe(t), guest(t, "c-glibc-hello"), guest(t, "hostile-spin_no_syscalls"), guest(t, "hostile-stdout_flood")}
	commands := []string{"spin", "sleep", "lines", "dirty", "unknown"}
	goroutines, rounds := 8, 25
	if long() {
		rounds = 500
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var wait sync.WaitGroup
	for i := range goroutines {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(i)))
			for range rounds {
				g := guests[random.IntN(len(guests))]
				command := commands[random.IntN(len(commands))]
				randomCancel(t, random, g, command)
			}
		})
	}
	wait.Wait()
}

// randomCancel runs a program that ends by itself or by one of the ways to end
// it, or by several at once.
func randomCancel(t *testing.T, random *rand.Rand, g *airlock.Guest, command string) {
	t.Helper()
	sandbox, err := airlock.New(t.Context(), g, airlock.Options{Memory: probeMemory})
	if err != nil {
		t.Errorf("New: %v", err)
		return
	}
	moment := func() time.Duration { return time.Duration(random.Int64N(int64(8 * time.Millisecond))) }
	ctx, cancel := context.WithTimeout(t.Context(), 2*moment())
	defer cancel()
	stdin := newBlockedReader()
	defer stdin.unblock()
	time.AfterFunc(moment(), cancel)
	if random.IntN(4) == 0 {
		time.AfterFunc(moment(), stdin.unblock)
	}
	closes := random.IntN(3) == 0
	if closes {
		time.AfterFunc(moment(), func() {
			if err := sandbox.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
	for range 1 + random.IntN(2) {
		code, err := sandbox.Run(ctx, airlock.Process{Args: []string{command}, Stdin: stdin, Stdout: newOutput()})
		if errors.Is(err, airlock.ErrPoisoned) || (closes && errors.Is(err, airlock.ErrClosed)) {
			break
		}
		if err := documented(code, err); err != nil {
			t.Error(err)
		}
	}
	if err := sandbox.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
