package test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// TestCancelLatency measures how long Run takes to return when its context is
// cancelled, whatever the program is doing. It is not parallel to anything, and
// takes the median, for what else the machine does is not what is measured.
func TestCancelLatency(t *testing.T) {
	const (
		promised = 10 * time.Millisecond
		rounds   = 20
	)
	blocked, unblock := io.Pipe()
	defer unblock.Close()
	for name, test := range map[string]struct {
		guest func(t *testing.T) *airlock.Guest
		args  []string
		stdin io.Reader
		quiet bool // it writes nothing to show that it runs
	}{
		"spins without a system call": {
			guest: func(t *testing.T) *airlock.Guest { t.Helper(); return guest(t, "hostile-spin_no_syscalls") }, quiet: true,
		},
		"makes system calls": {
			guest: func(t *testing.T) *airlock.Guest { t.Helper(); return guest(t, "hostile-spin_syscalls") }, quiet: true,
		},
		"faults": {
			guest: func(t *testing.T) *airlock.Guest { t.Helper(); return guest(t, "hostile-spin_faults") }, quiet: true,
		},
		"writes": {
			guest: func(t *testing.T) *airlock.Guest { t.Helper(); return guest(t, "hostile-stdout_flood") },
		},
		"spins in Go": {guest: probe, args: []string{"spin"}},
		"sleeps":      {guest: probe, args: []string{"sleep"}},
		"waits for stdin": {
			guest: probe, args: []string{"lines"}, stdin: blocked,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := test.guest(t)
			took := make([]time.Duration, rounds)
			for i := range took {
				// At different moments of the 10 ms between two ticks.
				delay := time.Duration(i%5)*2*time.Millisecond + time.Millisecond
				if test.quiet {
					delay += 20 * time.Millisecond
				}
				took[i] = cancelOnce(t, g, airlock.Process{Args: test.args, Stdin: test.stdin}, test.quiet, delay)
			}
			slices.Sort(took)
			median := took[rounds/2]
			t.Logf("median %v, slowest %v", median, took[rounds-1])
			if median > promised {
				t.Errorf("the median is %v, more than %v: %v", median, promised, took)
			}
		})
	}
}

// cancelOnce runs a program, cancels it and returns how long that took.
func cancelOnce(t *testing.T, g *airlock.Guest, p airlock.Process, quiet bool, delay time.Duration) time.Duration {
	t.Helper()
	sandbox, err := airlock.New(t.Context(), g, airlock.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := start(ctx, sandbox, p)
	if !quiet {
		r.awaitOutput(t)
	}
	time.Sleep(delay)
	begin := time.Now()
	cancel()
	<-r.done
	took := time.Since(begin)
	if !errors.Is(r.err, context.Canceled) {
		t.Fatalf("code %d, error %v", r.code, r.err)
	}
	checkAfterRun(t, sandbox, true)
	return took
}

func TestContext(t *testing.T) {
	t.Parallel()
	g := probe(t)

	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		sandbox := create(t, g, airlock.Options{})
		r := start(ctx, sandbox, airlock.Process{Args: []string{"spin"}})
		if err := r.await(t); !errors.Is(err, context.DeadlineExceeded) || r.code != -1 {
			t.Errorf("code %d, error %v", r.code, err)
		}
		checkAfterRun(t, sandbox, true)
	})

	t.Run("deadline in the past", func(t *testing.T) {
		t.Parallel()
		sandbox := create(t, g, airlock.Options{})
		ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Hour))
		defer cancel()
		r := start(ctx, sandbox, airlock.Process{Args: []string{"spin"}})
		if err := r.await(t); !errors.Is(err, context.DeadlineExceeded) || r.code != -1 {
			t.Errorf("code %d, error %v", r.code, err)
		}
		if _, err := airlock.New(ctx, g, airlock.Options{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("New: %v", err)
		}
		checkAfterRun(t, sandbox, true)
	})

	t.Run("cancelled before", func(t *testing.T) {
		t.Parallel()
		sandbox := create(t, g, airlock.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := start(ctx, sandbox, airlock.Process{Args: []string{"spin"}})
		if err := r.await(t); !errors.Is(err, context.Canceled) || r.code != -1 {
			t.Errorf("code %d, error %v", r.code, err)
		}
		checkAfterRun(t, sandbox, true)
	})

	t.Run("cancelled after", func(t *testing.T) {
		t.Parallel()
		sandbox := create(t, g, airlock.Options{Memory: probeMemory})
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			r := start(ctx, sandbox, airlock.Process{Args: []string{"dirty"}})
			if err := r.await(t); err != nil || r.code != 0 {
				t.Errorf("code %d, error %v", r.code, err)
			}
			cancel()
		}
		checkAfterRun(t, sandbox, false)
	})

	t.Run("cause", func(t *testing.T) {
		t.Parallel()
		sandbox := create(t, g, airlock.Options{})
		cause := errors.New("the user has left")
		ctx, cancel := context.WithCancelCause(t.Context())
		r := start(ctx, sandbox, airlock.Process{Args: []string{"spin"}})
		r.awaitOutput(t)
		cancel(cause)
		if err := r.await(t); !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("error %v", err)
		}
		checkAfterRun(t, sandbox, true)
	})
}
