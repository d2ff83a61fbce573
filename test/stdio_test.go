package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/iotest"
	"time"

	"github.com/airlockvm/airlock"
)

// blockedReader is a Reader that blocks until it is told not to.
type blockedReader struct {
	once sync.Once
	c    chan struct{}
}

func newBlockedReader() *blockedReader { return &blockedReader{c: make(chan struct{})} }

// Read gives the end of input, late.
func (r *blockedReader) Read([]byte) (int, error) {
	<-r.c
	return 0, io.EOF
}

func (r *blockedReader) unblock() { r.once.Do(func() { close(r.c) }) }

// TestStdin gives all kinds of readers to a guest that prints how much it read.
func TestStdin(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 20000)
	closed, w := io.Pipe()
	w.Close()
	closed.Close()
	for name, test := range map[string]struct {
		stdin io.Reader
		want  int
	}{
		"nil":            {nil, 0},
		"empty":          {strings.NewReader(""), 0},
		"closed":         {closed, 0},
		"known type":     {strings.NewReader(text), len(text)},
		"unknown type":   {reader(text), len(text)},
		"single bytes":   {iotest.OneByteReader(strings.NewReader(text[:5000])), 5000},
		"end with data":  {iotest.DataErrReader(strings.NewReader(text)), len(text)},
		"error":          {iotest.ErrReader(errors.New("broken")), 0},
		"error in it":    {io.MultiReader(strings.NewReader("12345"), iotest.ErrReader(errors.New("broken"))), 5},
		"never anything": {funcReader(func([]byte) (int, error) { return 0, nil }), 0},
		"lies":           {funcReader(func([]byte) (int, error) { return -1, io.EOF }), 0},
		"lies upwards":   {funcReader(func(p []byte) (int, error) { return len(p) + 1, io.EOF }), 32 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := run(t, program{
				guest: guest(t, "go-stdin"), process: airlock.Process{Stdin: test.stdin}, deadline: hang,
			})
			want := fmt.Sprintf("%d ", test.want)
			if result.code != 0 || result.err != nil || !strings.HasPrefix(result.stdout.lastLine(), want) {
				t.Errorf("want a line that starts with %q", want)
				result.report(t)
			}
		})
	}
}

// funcReader is a Reader from a function.
type funcReader func([]byte) (int, error)

// Read calls the function.
func (f funcReader) Read(p []byte) (int, error) { return f(p) }

// TestConversation talks with a program: it must see each line when it is
// written, not when there are many.
func TestConversation(t *testing.T) {
	t.Parallel()
	sandbox := create(t, probe(t), airlock.Options{})
	fromHost, toGuest := io.Pipe()
	fromGuest, toHost := io.Pipe()
	defer fromGuest.Close()
	defer toGuest.Close()
	r := start(t.Context(), sandbox, airlock.Process{Args: []string{"lines"}, Stdin: fromHost, Stdout: toHost})
	for i := range 50 {
		var n int
		if _, err := fmt.Fscanln(fromGuest, &n); err != nil || n != i {
			t.Fatalf("line %d: got %d, error %v", i, n, err)
		}
		if _, err := io.WriteString(toGuest, "line\n"); err != nil {
			t.Fatal(err)
		}
	}
	toGuest.Close()
	go io.Copy(io.Discard, fromGuest)
	if err := r.await(t); err != nil || r.code != 0 {
		t.Errorf("code %d, error %v", r.code, err)
	}
}

// TestBlockedStdin ends a run while a Read of its stdin is in progress. Nothing
// can interrupt the Read, but it may hold up nobody.
func TestBlockedStdin(t *testing.T) {
	t.Parallel()
	sandbox := create(t, probe(t), airlock.Options{})
	stdin := newBlockedReader()
	defer stdin.unblock()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := start(ctx, sandbox, airlock.Process{Args: []string{"lines"}, Stdin: stdin})
	r.awaitOutput(t)
	time.Sleep(10 * time.Millisecond) // into the Read
	cancel()
	if err := r.await(t); !errors.Is(err, context.Canceled) {
		t.Errorf("code %d, error %v", r.code, err)
	}
	checkAfterRun(t, sandbox, true)
	// The Read ends when the sandbox is long gone.
	stdin.unblock()
}

// failingWriter fails after some bytes.
type failingWriter struct {
	mu   sync.Mutex
	left int
}

var errFull = errors.New("the disk is full")

// Write takes what fits.
func (w *failingWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := min(len(p), w.left)
	w.left -= n
	if n < len(p) {
		return n, errFull
	}
	return n, nil
}

// TestFailingWriter runs programs whose stdout fails at some time: they see what
// they would see of a pipe that nobody reads.
func TestFailingWriter(t *testing.T) {
	t.Parallel()
	g := probe(t)
	for _, size := range []int{0, 1, 1000, 300000} {
		for command, want := range map[string]expectation{
			"epipe":   {"exit", fmt.Sprint(int(syscall.EPIPE))},
			"sigpipe": {"signal", "SIGPIPE"},
		} {
			t.Run(fmt.Sprintf("%s after %d", command, size), func(t *testing.T) {
				t.Parallel()
				stderr := newOutput()
				r := start(t.Context(), create(t, g, airlock.Options{}), airlock.Process{
					Args: []string{command}, Stdout: &failingWriter{left: size}, Stderr: stderr,
				})
				err := r.await(t)
				if err := want.check(r.code, err); err != nil {
					t.Error(err)
				}
				if command == "epipe" && stderr.String() != "stdout failed\n" {
					t.Errorf("stderr: %q", stderr)
				}
			})
		}
	}
}

// TestSlowWriter ends a run while a Write of its stdout takes long.
func TestSlowWriter(t *testing.T) {
	t.Parallel()
	sandbox := create(t, guest(t, "go-flood"), airlock.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	slow := funcWriter(func(p []byte) (int, error) { time.Sleep(30 * time.Millisecond); return len(p), nil })
	r := start(ctx, sandbox, airlock.Process{Stdout: slow})
	if err := r.await(t); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("code %d, error %v", r.code, err)
	}
	checkAfterRun(t, sandbox, true)
}

// funcWriter is a Writer from a function.
type funcWriter func([]byte) (int, error)

// Write calls the function.
func (f funcWriter) Write(p []byte) (int, error) { return f(p) }

// TestRefusedProcess asks for what can't be passed to a program: that is refused
// before anything runs, and the sandbox stays as it was.
func TestRefusedProcess(t *testing.T) {
	t.Parallel()
	sandbox := create(t, probe(t), airlock.Options{Memory: probeMemory})
	for name, p := range map[string]airlock.Process{
		"NUL in an argument":       {Args: []string{"a\x00b"}},
		"NUL in the environment":   {Env: []string{"A=\x00"}},
		"an argument too long":     {Args: []string{strings.Repeat("x", 40<<20)}},
		"too many arguments":       {Args: make([]string, 1<<20)},
		"an environment too large": {Env: slices.Repeat([]string{"NAME=value"}, 1<<18)},
	} {
		if code, err := sandbox.Run(t.Context(), p); !errors.Is(err, airlock.ErrOptions) || code != -1 {
			t.Errorf("%s: code %d, error %v", name, code, err)
		}
		if code, err := sandbox.Run(t.Context(), airlock.Process{Args: []string{"dirty"}}); code != 0 || err != nil {
			t.Errorf("a run after that: code %d, error %v", code, err)
		}
	}
}
