package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// What is isolated in the tests: EchoString does what its argument says.
var (
	isolated      = isolate("tests")
	isolatedAlone = isolate("alone") // of one test, which nobody else's calls come between
	isolatedKill  = airlock.Isolate("tests that are killed", airlock.HostFuncs{
		"EchoString": airlock.Func(misbehave),
	}, airlock.Syscalls{Kill: true})
	isolatedWrong = airlock.Isolate("wrong", airlock.HostFuncs{
		"EchoVoid": airlock.Func(func() {}),
	}, airlock.Syscalls{Names: []string{"frobnicate"}})
	isolatedLate = airlock.Isolate("late", airlock.HostFuncs{"EchoVoid": airlock.Func(func() {})}, airlock.Syscalls{})
)

func isolate(name string) *airlock.Isolated {
	return airlock.Isolate(name, airlock.HostFuncs{
		"EchoString": airlock.Func(misbehave),
		"EchoInt32":  airlock.Func(func(v int32) int32 { return v + 1 }),
		"EchoBytes":  airlock.Func(func(b []byte) []byte { return b }),
		"EchoVoid":   airlock.Func(func() {}),
	}, airlock.Syscalls{Names: []string{"getppid", "readlinkat", "getdents64", "getrlimit", "prlimit64"}, ReadFiles: true})
}

// lookInto tries to read what /proc tells of a process, and says what of it was told.
func lookInto(pid int) string {
	var told []string
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	dirs := []string{fmt.Sprintf("/proc/%d", pid)}
	for _, task := range tasks {
		dirs = append(dirs, fmt.Sprintf("/proc/%d/task/%s", pid, task.Name()))
	}
	for _, dir := range dirs {
		for _, name := range []string{"environ", "mem", "maps", "auxv"} {
			if f, err := os.Open(dir + "/" + name); err == nil {
				if n, err := f.Read(make([]byte, 1)); n > 0 || name == "mem" && !errors.Is(err, os.ErrPermission) {
					told = append(told, dir+"/"+name)
				}
				_ = f.Close()
			}
		}
		if list, err := os.ReadDir(dir + "/fd"); err == nil && len(list) > 0 {
			if f, err := os.Open(dir + "/fd/0"); err == nil {
				told = append(told, f.Name())
				_ = f.Close()
			}
		}
	}
	return fmt.Sprint(len(dirs) > 1, told)
}

// isolatedMain is what TestMain calls first.
func isolatedMain() {
	isolated.Main()
	isolatedAlone.Main()
	isolatedKill.Main()
	isolatedWrong.Main()
	isolatedTaken.Main()
	for _, i := range isolatedTold {
		i.Main()
	}
}

var remembered string

func misbehave(what string) (string, error) {
	switch what {
	case "getuid":
		syscall.Getuid()
	case "goroutine":
		done := make(chan bool)
		go func() { syscall.Getuid(); close(done) }()
		<-done
	case "socket":
		return "", makeSocket(syscall.AF_INET)()
	case "panic":
		panic("secret of the worker")
	case "crash":
		var m map[string]int
		go func() { m["x"] = 1 }()
		time.Sleep(time.Minute)
	case "exit":
		os.Exit(7)
	case "hidden":
		return "", errors.New("secret of the worker")
	case "visible":
		return "", airlock.Visible(errors.New("what you may know"))
	case "spin":
		for {
			runtime.Gosched()
		}
	case "environment":
		return fmt.Sprint(len(os.Environ()), os.Args), nil
	case "descriptors":
		list, err := os.ReadDir("/proc/self/fd")
		var b strings.Builder
		for _, entry := range list {
			name, _ := os.Readlink("/proc/self/fd/" + entry.Name())
			fmt.Fprintln(&b, entry.Name(), name)
		}
		return b.String(), err
	case "application":
		return lookInto(os.Getppid()), nil
	case "status":
		text, err := os.ReadFile("/proc/self/status")
		return string(text), err
	case "threads":
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { runtime.LockOSThread(); time.Sleep(time.Millisecond) })
		}
		wg.Wait()
		runtime.GC()
	default:
		remembered, what = what, remembered
	}
	return what, nil
}

func isolatedSandbox(tb testing.TB, i *airlock.Isolated) *airlock.Sandbox {
	tb.Helper()
	funcs := hosts()
	maps.Copy(funcs, i.HostFuncs())
	return newSandbox(tb, "callguest", airlock.Options{HostFuncs: funcs})
}

func TestIsolated(t *testing.T) {
	t.Parallel()
	// What the application was started with, or C code in it has opened, may be
	// passed on by exec.
	inherited, err := syscall.Open("/dev/zero", syscall.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Close(inherited) }()
	sb := isolatedSandbox(t, isolatedAlone)
	text := func(what string) string {
		t.Helper()
		got, err := airlock.Call[string](t.Context(), sb, "HostString", what)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return got
	}
	if got, err := airlock.Call[int32](t.Context(), sb, "HostInt32", 41); got != 42 || err != nil {
		t.Errorf("%d, %v", got, err)
	}
	large := []byte(strings.Repeat("x", 60000))
	if got, err := airlock.Call[[]byte](t.Context(), sb, "HostBytes", large); string(got) != string(large) || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	text("one")
	if got := text("two"); got != "one" || remembered != "" {
		t.Errorf("%q and %q: the worker has forgotten, or the application knows", got, remembered)
	}
	if got := text("environment"); got != "0 [airlock-worker alone]" {
		t.Errorf("environment: %s", got)
	}
	got := text("descriptors")
	for line := range strings.SplitSeq(strings.TrimSpace(got), "\n") {
		switch n, name, _ := strings.Cut(line, " "); {
		case n <= "2" && len(n) == 1 && name == "/dev/null", name == "" /* that of the directory, closed meanwhile */, strings.HasPrefix(name, "pipe:"), name == "anon_inode:[eventpoll]",
			name == "anon_inode:[eventfd]", strings.HasPrefix(name, "/proc/"):
		default:
			t.Errorf("a descriptor of the worker: %s", line)
		}
	}
	status := text("status")
	for _, line := range []string{"Seccomp:\t2", "NoNewPrivs:\t1", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000"} {
		if !strings.Contains(status, line) {
			t.Errorf("no %q in %s", line, status)
		}
	}
	if !strings.HasPrefix(lookInto(os.Getpid()), "true [/proc") {
		t.Error("the test could find out nothing about itself")
	}
	if got := text("application"); got != "true []" {
		t.Errorf("the worker could look into the application: %s", got)
	}
	text("threads")
	ready(t, sb)
}

// TestIsolatedOneSandbox: a worker remembers things for one sandbox, and until that is
// restored.
func TestIsolatedOneSandbox(t *testing.T) {
	t.Parallel()
	before := func(sb *airlock.Sandbox) string {
		t.Helper()
		got, err := airlock.Call[string](t.Context(), sb, "HostString", "something")
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	sb := isolatedSandbox(t, isolated)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	if got, again := before(sb), before(sb); got != "" || again != "something" {
		t.Errorf("the worker knew %q, then %q", got, again)
	}
	if got := before(isolatedSandbox(t, isolated)); got != "" {
		t.Errorf("another sandbox's worker knew %q", got)
	}
	for range 2 {
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
		if got := before(sb); got != "" {
			t.Errorf("after Restore the worker knew %q", got)
		}
	}
}

// TestIsolatedOrphan: a worker that doesn't listen ends with the application all the
// same.
func TestIsolatedOrphan(t *testing.T) {
	if os.Getenv("AIRLOCK_TEST_ORPHAN") != "" {
		sb := isolatedSandbox(t, isolated)
		_, err := sb.Call(t.Context(), "HostString", "spin")
		t.Fatal(err)
	}
	t.Parallel()
	kvmtest.Require(t)
	application := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestIsolatedOrphan$")
	application.Env = append(os.Environ(), "AIRLOCK_TEST_ORPHAN=1")
	if err := application.Start(); err != nil {
		t.Fatal(err)
	}
	worker := 0
	for deadline := time.Now().Add(time.Minute); worker == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("there is no worker that computes")
		}
		worker = computing(application.Process.Pid)
	}
	_ = application.Process.Kill()
	_ = application.Wait()
	for deadline := time.Now().Add(10 * time.Second); syscall.Kill(worker, 0) == nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(worker, syscall.SIGKILL)
			t.Fatal("the worker has outlived the application")
		}
	}
}

// computing returns a worker of a process that has its filter and has used a tenth of a
// second of processor time, or 0.
func computing(pid int) int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list)
		for child := range strings.FieldsSeq(string(text)) {
			status, _ := os.ReadFile("/proc/" + child + "/status")
			stat, _ := os.ReadFile("/proc/" + child + "/stat")
			_, rest, _ := strings.Cut(string(stat), ") ")
			fields := strings.Fields(rest)
			if strings.Contains(string(status), "Seccomp:\t2") && len(fields) > 11 {
				if ticks, _ := strconv.Atoi(fields[11]); ticks >= 10 {
					worker, _ := strconv.Atoi(child)
					return worker
				}
			}
		}
	}
	return 0
}

// TestIsolatedDenied: also what a goroutine of the function does is refused.
func TestIsolatedDenied(t *testing.T) {
	t.Parallel()
	for _, i := range []*airlock.Isolated{isolated, isolatedKill} {
		sb := isolatedSandbox(t, i)
		for range 2 {
			_, err := sb.Call(t.Context(), "HostString", "getuid")
			denied(t, err, "EchoString", "getuid", 102)
			_, err = sb.Call(t.Context(), "HostString", "socket")
			denied(t, err, "EchoString", "socket", 41)
			_, err = sb.Call(t.Context(), "HostString", "goroutine")
			denied(t, err, "EchoString", "getuid", 102)
			if _, killed := errors.AsType[*airlock.WorkerError](err); killed != (i == isolatedKill) {
				t.Errorf("killed: %v: %v", killed, err)
			}
			if _, err := sb.Call(t.Context(), "HostString", "x"); err != nil {
				t.Error(err)
			}
		}
		ready(t, sb)
	}
}

// TestIsolatedEnds: whatever the worker does, there is an error that says so, and
// the next call has another one.
func TestIsolatedEnds(t *testing.T) {
	t.Parallel()
	sb := isolatedSandbox(t, isolated)
	for _, c := range []struct{ what, text string }{
		{"crash", "exit status 2"},
		{"exit", "exit status 7"},
		{"panic", "secret of the worker"},
		{"hidden", "the host function failed"},
		{"visible", "what you may know"},
	} {
		_, err := sb.Call(t.Context(), "HostString", c.what)
		if err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: %v", c.what, err)
		}
		_, worker := errors.AsType[*airlock.WorkerError](err)
		_, panicked := errors.AsType[*airlock.HostPanicError](err)
		_, guest := errors.AsType[*airlock.GuestError](err)
		if worker != (c.what == "crash" || c.what == "exit") || panicked != (c.what == "panic") || guest == (worker || panicked) {
			t.Errorf("%s: %T", c.what, err)
		}
		if _, err := sb.Call(t.Context(), "HostString", "x"); err != nil {
			t.Errorf("after %s: %v", c.what, err)
		}
	}
	ready(t, sb)
}

// TestIsolatedCancel: the end of the context kills what doesn't listen to it.
func TestIsolatedCancel(t *testing.T) {
	t.Parallel()
	sb := isolatedSandbox(t, isolated)
	if _, err := sb.Call(t.Context(), "HostString", "x"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := sb.Call(ctx, "HostString", "spin"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	poisoned(t, sb)
}

// TestIsolatedRefused: mistakes are errors of New.
func TestIsolatedRefused(t *testing.T) {
	t.Parallel()
	guest := buildGuest(t, "callguest")
	for what, i := range map[string]*airlock.Isolated{"rules": isolatedWrong, "no Main": isolatedLate} {
		sb, err := airlock.New(t.Context(), guest, airlock.Options{HostFuncs: i.HostFuncs()})
		if !errors.Is(err, airlock.ErrOptions) {
			t.Errorf("%s: %v", what, err)
		}
		if err == nil {
			_ = sb.Close()
		}
	}
}

// TestIsolatedParallel: each sandbox that calls at the same time has a worker.
func TestIsolatedParallel(t *testing.T) {
	t.Parallel()
	var wg sync.WaitGroup
	for range 4 {
		sb := isolatedSandbox(t, isolated)
		wg.Go(func() {
			for n := range int32(50) {
				if got, err := airlock.Call[int32](t.Context(), sb, "HostInt32", n); got != n+1 || err != nil {
					t.Errorf("%d, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestIsolatedLeaks: a thousand calls need no more than one worker, which ends
// with the sandbox. Not parallel: it counts.
func TestIsolatedLeaks(t *testing.T) {
	count := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	sb := isolatedSandbox(t, isolated)
	ready(t, sb)
	before, goroutines := count(), runtime.NumGoroutine()
	var pid int
	for i := range 1000 {
		what := "x"
		if i%100 == 50 {
			what = "exit"
		}
		if _, err := sb.Call(t.Context(), "HostString", what); (err != nil) != (what == "exit") {
			t.Fatal(err)
		}
		if i == 999 {
			text, err := airlock.Call[string](t.Context(), sb, "HostString", "status")
			if err != nil {
				t.Fatal(err)
			}
			_, line, _ := strings.Cut(text, "\nPid:")
			_, _ = fmt.Sscan(line, &pid)
		}
	}
	if err := syscall.Kill(pid, 0); err != nil {
		t.Errorf("worker %d: %v", pid, err)
	}
	if err := sb.Close(); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		fds, running, alive := count(), runtime.NumGoroutine(), syscall.Kill(pid, 0) == nil
		if fds <= before && running <= goroutines && !alive {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d descriptors before and %d after, %d goroutines and %d, the worker runs: %v",
				before, fds, goroutines, running, alive)
		}
	}
}
