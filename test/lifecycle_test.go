package test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/airlockvm/airlock"
)

func TestBusy(t *testing.T) {
	t.Parallel()
	sandbox := create(t, probe(t), airlock.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := start(ctx, sandbox, airlock.Process{Args: []string{"spin"}})
	r.awaitOutput(t)
	for range 3 {
		if code, err := sandbox.Run(ctx, airlock.Process{}); !errors.Is(err, airlock.ErrBusy) || code != -1 {
			t.Errorf("a second Run: code %d, error %v", code, err)
		}
	}
	cancel()
	if err := r.await(t); !errors.Is(err, context.Canceled) {
		t.Errorf("the first Run: %v", err)
	}
	if _, err := sandbox.Run(t.Context(), airlock.Process{}); !errors.Is(err, airlock.ErrPoisoned) {
		t.Errorf("Run of a poisoned sandbox: %v", err)
	}
}

// TestConcurrentRun starts many runs of one sandbox at a time: at any moment at
// most one may go on, and the others must say so.
func TestConcurrentRun(t *testing.T) {
	t.Parallel()
	sandbox := create(t, guest(t, "c-glibc-hello"), airlock.Options{})
	var (
		wait sync.WaitGroup
		mu   sync.Mutex
		ran  int
	)
	for range 8 {
		wait.Go(func() {
			for range 20 {
				code, err := sandbox.Run(t.Context(), airlock.Process{})
				if errors.Is(err, airlock.ErrBusy) {
					continue
				}
				if code != 0 || err != nil {
					t.Errorf("code %d, error %v", code, err)
				}
				mu.Lock()
				ran++
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	t.Logf("%d of 160 runs were alone", ran)
	if ran == 0 {
		t.Error("none ran")
	}
	checkAfterRun(t, sandbox, false)
}

// TestCloseDuringRun closes a sandbox, from several goroutines, while a program
// runs in it.
func TestCloseDuringRun(t *testing.T) {
	t.Parallel()
	g := probe(t)
	for _, command := range []string{"spin", "sleep", "lines"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			sandbox := create(t, g, airlock.Options{})
			stdin := newBlockedReader()
			defer stdin.unblock()
			r := start(t.Context(), sandbox, airlock.Process{Args: []string{command}, Stdin: stdin})
			r.awaitOutput(t)
			var wait sync.WaitGroup
			for range 4 {
				wait.Go(func() {
					if err := sandbox.Close(); err != nil {
						t.Errorf("Close: %v", err)
					}
					select {
					case <-r.done:
					default:
						// Run has given the sandbox back; its goroutine may still have to close done.
						_ = r.await(t)
					}
				})
			}
			wait.Wait()
			if err := r.await(t); !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
			if _, err := sandbox.Run(t.Context(), airlock.Process{}); !errors.Is(err, airlock.ErrClosed) {
				t.Errorf("Run after Close: %v", err)
			}
		})
	}
}

// TestRunAgain runs programs several times in one sandbox: each run must be as
// the first.
func TestRunAgain(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"c-glibc-bigbss", "c-pie-malloc", "c-glibc-mmap", "c-musl-brk", "go-gcpressure", "go-recover"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sandbox := create(t, guest(t, name), airlock.Options{})
			for i := range 3 {
				out := newOutput()
				code, err := sandbox.Run(t.Context(), airlock.Process{Stdout: out, Stderr: out})
				if code != 0 || err != nil || out.String() != "SUCCESS\n" {
					t.Fatalf("run %d: code %d, error %v, output %q", i, code, err, out)
				}
			}
			checkAfterRun(t, sandbox, false)
		})
	}
}

// TestNothingRemains fills the memory of a sandbox with a secret and lets the
// next program in it search all physical memory for it.
func TestNothingRemains(t *testing.T) {
	t.Parallel()
	sandbox := create(t, probe(t), airlock.Options{Memory: probeMemory})
	// How often the word that is searched for is in memory for that reason.
	const found = 16
	for i := range 3 {
		if code, err := sandbox.Run(t.Context(), airlock.Process{Args: []string{"dirty"}}); code != 0 || err != nil {
			t.Fatalf("run %d: memory is not as new: code %d, error %v", i, code, err)
		}
		out := newOutput()
		if code, err := sandbox.Run(t.Context(), airlock.Process{Args: []string{"search"}, Stdout: out}); code != 0 || err != nil {
			t.Fatalf("run %d: code %d, error %v", i, code, err)
		}
		if n, err := strconv.Atoi(out.lastLine()); err != nil || n > found {
			t.Errorf("run %d: the secret is there %s times, want at most %d", i, out.lastLine(), found)
		}
	}
	checkAfterRun(t, sandbox, false)
}

// TestArguments runs one sandbox with different arguments, environments and
// inputs: none may be seen by a later run.
func TestArguments(t *testing.T) {
	t.Parallel()
	sandbox := create(t, guest(t, "go-args"), airlock.Options{})
	for _, test := range []struct {
		args, env []string
		code      int
		want      []string
	}{
		{[]string{"7", "second"}, []string{"B=2", "A=1"}, 7, []string{"env A=1", "env B=2"}},
		{[]string{"0"}, nil, 0, nil},
		{[]string{"3", "", "ünï", strings.Repeat("x", 10000)}, []string{"EMPTY="}, 3, []string{"env EMPTY="}},
	} {
		out := newOutput()
		code, err := sandbox.Run(t.Context(), airlock.Process{Args: test.args, Env: test.env, Stdout: out})
		if code != test.code || err != nil {
			t.Fatalf("code %d, error %v; want code %d", code, err, test.code)
		}
		var env []string
		for line := range strings.Lines(out.String()) {
			if strings.HasPrefix(line, "env ") {
				env = append(env, strings.TrimSuffix(line, "\n"))
			}
		}
		if !slices.Equal(env, test.want) {
			t.Errorf("environment %q, want %q", env, test.want)
		}
		for _, arg := range test.args {
			if !strings.Contains(out.String(), arg) {
				t.Errorf("argument %.20q is not in the output %.200q", arg, out)
			}
		}
	}
	checkAfterRun(t, sandbox, false)
}

// TestTwoSandboxes runs two sandboxes of one guest at the same time.
func TestTwoSandboxes(t *testing.T) {
	t.Parallel()
	g := guest(t, "go-stdin")
	inputs := []string{strings.Repeat("a", 300000), strings.Repeat("b", 200001)}
	var wait sync.WaitGroup
	for _, in := range inputs {
		sandbox := create(t, g, airlock.Options{})
		wait.Go(func() {
			for range 5 {
				out := newOutput()
				code, err := sandbox.Run(t.Context(), airlock.Process{Stdin: strings.NewReader(in), Stdout: out})
				if code != 0 || err != nil || !strings.HasPrefix(out.lastLine(), strconv.Itoa(len(in))+" ") {
					t.Errorf("code %d, error %v, output %q", code, err, out)
				}
			}
		})
	}
	wait.Wait()
}
