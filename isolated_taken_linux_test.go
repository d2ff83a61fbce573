package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/wire"
)

// What a worker may do that its guest has taken over: EchoString does what its argument
// says, with the descriptors by which it talks to the application.
var isolatedTaken = airlock.Isolate("taken over", airlock.HostFuncs{
	"EchoString": airlock.Func(takenOver),
	"EchoBytes":  airlock.Func(answerAhead),
	"EchoInt32":  airlock.Func(func(v int32) int32 { return v + 1 }),
	"Large":      airlock.Func(func(n int64) []byte { return make([]byte, n) }),
}, airlock.Syscalls{Sockets: []int{syscall.AF_UNIX, syscall.AF_INET}})

const (
	workerCalls, workerResults = 3, 4 // the worker's descriptors
	workerReady                = 5    // closed by then
)

func takenOver(what string) (string, error) {
	what, where, _ := strings.Cut(what, " ")
	switch what {
	case "half":
		if _, err := syscall.Write(workerResults, []byte{0, 0, 0, 1, 1, 2, 3}); err != nil {
			return "", err
		}
		select {}
	case "keep": // somebody else holds its ends when it has been killed
		fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			return "", err
		}
		if err := syscall.Connect(fd, &syscall.SockaddrUnix{Name: where}); err != nil {
			return "", err
		}
		if err := syscall.Sendmsg(fd, []byte{0}, syscall.UnixRights(workerCalls, workerResults), nil, 0); err != nil {
			return "", err
		}
		select {}
	case "pass":
		var errs []string
		for _, fd := range []int{workerCalls, workerResults, workerReady} {
			err := syscall.Sendmsg(fd, []byte{0}, syscall.UnixRights(0), nil, 0)
			errs = append(errs, fmt.Sprint(err))
		}
		return strings.Join(errs, "; "), nil
	case "flood":
		for {
			syscall.Getuid()
		}
	case "clone3":
		for {
			_, _, _ = syscall.RawSyscall(435, 0, 0, 0)
		}
	case "wrong":
		return "", write(wire.Int32(1))
	case "later":
		go func() {
			time.Sleep(20 * time.Millisecond) // the call has its result
			for {
				syscall.Getuid()
			}
		}()
		return fmt.Sprint(syscall.Getpid()), nil
	}
	return what, nil
}

// answerAhead answers calls that the worker never reads, if it is given little.
func answerAhead(b []byte) ([]byte, error) {
	if len(b) > 10 {
		return b, nil
	}
	for range 20 {
		if err := write(wire.Bytes(nil)); err != nil {
			return nil, err
		}
	}
	select {}
}

func write(v wire.Value) error {
	text, err := wire.AppendResult(nil, &wire.Result{Value: v})
	if err == nil {
		_, err = syscall.Write(workerResults, text)
	}
	return err
}

// TestTakenOverHolds: whatever a worker does with the pipes, calls end with their
// context, and a sandbox can be closed meanwhile.
func TestTakenOverHolds(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "socket")
	slow, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", name) // a service that is slow to accept
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close() //nolint:errcheck // of the test alone
	for _, what := range []string{"ahead", "half", "keep " + name} {
		for _, end := range []string{"context", "close"} {
			sb := isolatedSandbox(t, isolatedTaken)
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if end == "close" {
				cancel()
				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(300*time.Millisecond, func() { _ = sb.Close() })
			}
			ended := make(chan error, 1)
			go func() {
				ended <- holdUp(ctx, sb, what)
			}()
			select {
			case err := <-ended:
				if want := map[string]error{"context": context.DeadlineExceeded, "close": airlock.ErrClosed}[end]; !errors.Is(err, want) {
					t.Errorf("%s, %s: %v", what, end, err)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("%s, %s: the call goes on", what, end)
			}
			cancel()
		}
	}
}

// holdUp has the worker hold a call up, and returns that call's error.
func holdUp(ctx context.Context, sb *airlock.Sandbox, what string) error {
	if what != "ahead" {
		_, err := sb.Call(ctx, "HostString", what)
		return err
	}
	_, err := sb.Call(ctx, "HostBytes", []byte{1})
	for n := 0; err == nil && n < 19; n++ {
		_, err = sb.Call(ctx, "HostBytes", make([]byte, 60000))
	}
	return err
}

// TestTakenOverWrong: a worker whose result has another type than the function's does
// not go on.
func TestTakenOverWrong(t *testing.T) {
	t.Parallel()
	sb := isolatedSandbox(t, isolatedTaken)
	for range 2 {
		_, err := sb.Call(t.Context(), "HostString", "wrong")
		if w, ok := errors.AsType[*airlock.WorkerError](err); !ok || !strings.Contains(w.Err.Error(), "a result of type int32") {
			t.Error(err)
		}
		if got, err := airlock.Call[string](t.Context(), sb, "HostString", "x"); got != "x" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestTakenOverPasses: descriptors don't get from a worker to the application.
func TestTakenOverPasses(t *testing.T) {
	t.Parallel()
	sb := isolatedSandbox(t, isolatedTaken)
	got, err := airlock.Call[string](t.Context(), sb, "HostString", "pass")
	const noSocket = "socket operation on non-socket"
	if want := noSocket + "; " + noSocket + "; bad file descriptor"; got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// TestTakenOverFloods: a worker that makes one refused system call after another is
// killed, and at once if nothing was called.
func TestTakenOverFloods(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"flood", "clone3"} {
		sb := isolatedSandbox(t, isolatedTaken)
		_, err := sb.Call(t.Context(), "HostString", what)
		if w, ok := errors.AsType[*airlock.WorkerError](err); !ok || !strings.Contains(w.Err.Error(), "killed") {
			t.Errorf("%s: %v", what, err)
		}
		ready(t, sb)
	}
	sb := isolatedSandbox(t, isolatedTaken)
	text, err := airlock.Call[string](t.Context(), sb, "HostString", "later")
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(pid, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the worker goes on")
		}
	}
	if got, err := airlock.Call[int32](t.Context(), sb, "HostInt32", 41); got != 42 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
}

// TestTakenOverLarge: a result that the guest can't get takes no memory here.
func TestTakenOverLarge(t *testing.T) {
	sb := isolatedSandbox(t, isolatedTaken)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.TotalAlloc >> 20
	}
	before := heap()
	for range 3 {
		_, err := sb.Call(t.Context(), "HostLarge", int64(60<<20))
		// The guest passes on what it was told.
		if e, ok := errors.AsType[*airlock.GuestError](err); !ok || e.Message != "host function: too large: the host function's result can't be sent" {
			t.Errorf("%v", err)
		}
		if got, err := airlock.Call[int32](t.Context(), sb, "HostInt32", 41); got != 42 || err != nil {
			t.Errorf("%d, %v", got, err)
		}
	}
	if more := heap() - before; more > 8 {
		t.Errorf("%d MiB of memory", more)
	}
}
