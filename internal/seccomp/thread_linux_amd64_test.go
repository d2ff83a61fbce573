package seccomp

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestMain(m *testing.M) {
	if os.Getenv("AIRLOCK_TEST_REFUSED") != "" {
		refused()
	}
	if os.Getenv("AIRLOCK_TEST_ZONE") != "" {
		zone()
	}
	kvmtest.Main(m)
}

// refused looks what happens where something above the process refuses
// seccomp(2), as filters of containers do, and prints it.
func refused() {
	// Load the number of the call; refuse seccomp, allow all else.
	program, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 0, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SECCOMP, SkipFalse: 1},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)},
		bpf.RetConstant{Val: actionAllow},
	})
	if err == nil {
		_, err = installFilter(program, unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH)
	}
	if err != nil {
		fmt.Println("the test can't be made:", err)
		os.Exit(1)
	}
	for range 2 {
		fmt.Println(errors.Is(Supported(), ErrUnsupported), Supported())
	}
	os.Exit(0)
}

// TestRefused: where filters can't be had, that is a typed error.
func TestRefused(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), "/proc/self/exe")
	command.Env = append(os.Environ(), "AIRLOCK_TEST_REFUSED=1")
	out, err := command.CombinedOutput()
	if err != nil || strings.Count(string(out), "true seccomp filters are not available: seccomp(") != 2 {
		t.Errorf("%s, %v", out, err)
	}
}

// TestArena compares the layout with what the assembly has.
func TestArena(t *testing.T) {
	t.Parallel()
	var a arena
	for name, offsets := range map[string][2]uintptr{
		"tid": {unsafe.Offsetof(a.tid), 0}, "fd": {unsafe.Offsetof(a.fd), 4}, "poll": {unsafe.Offsetof(a.poll), 8},
		"count": {unsafe.Offsetof(a.count), 16}, "response": {unsafe.Offsetof(a.response), 32},
		"notif": {unsafe.Offsetof(a.notif), 64}, "log": {unsafe.Offsetof(a.log), 192},
		"entry": {unsafe.Sizeof(a.log[0]), 64},
	} {
		if offsets[0] != offsets[1] {
			t.Errorf("%s is at %d, the assembly has %d", name, offsets[0], offsets[1])
		}
	}
}

// newThread starts a thread that may do what the runtime needs, and more.
func newThread(tb testing.TB, more ...Rule) *Thread {
	tb.Helper()
	r, err := FindRuntime()
	if err != nil {
		tb.Fatal(err)
	}
	program, err := Compile(append(Base(r), more...))
	if err != nil {
		tb.Fatal(err)
	}
	thread, err := StartThread(program)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(thread.Close)
	return thread
}

// must runs fn on the thread and fails the test if anything was refused.
func must(t *testing.T, thread *Thread, what string, fn func()) {
	t.Helper()
	first, denied, err := thread.Do(fn)
	if denied != 0 || err != nil {
		t.Errorf("%s: %d refused, the first %s%x; %v", what, denied, Name(first.Nr), first.Args, err)
	}
}

// zone prints the time zone as a filtered thread sees it, and then the process.
func zone() {
	print := func() {
		name, _ := time.Now().Zone()
		fmt.Print(name, " ")
	}
	r, err := FindRuntime()
	if err == nil {
		var program []bpf.RawInstruction
		if program, err = Compile(append(Base(r), Rule{Name: "write"})); err == nil {
			var thread *Thread
			if thread, err = StartThread(program); err == nil {
				_, _, err = thread.Do(print)
			}
		}
	}
	print()
	fmt.Print(err)
	os.Exit(0)
}

// TestLoadShared: a filtered thread that is the first of the process to ask for the
// time zone gets it, and so does everybody after it.
func TestLoadShared(t *testing.T) {
	t.Parallel()
	// tzfile(5): no transitions, one type of local time, nine hours ahead, and its name.
	file := append([]byte("TZif"), make([]byte, 16+12)...)
	file = append(file, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4)
	file = append(file, 0, 0, 0x7e, 0x90, 0, 0)
	file = append(file, "JST\x00"...)
	path := filepath.Join(t.TempDir(), "zone")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "AIRLOCK_TEST_ZONE=1", "TZ="+path)
	if out, err := cmd.CombinedOutput(); err != nil || string(out) != "JST JST <nil>" {
		t.Errorf("%s, %v", out, err)
	}
}

func TestDenied(t *testing.T) {
	t.Parallel()
	thread := newThread(t)
	path := filepath.Join(t.TempDir(), "file")
	for range 3 {
		for name, fn := range map[string]func() error{
			"openat": func() error { _, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT, 0o600); return err },
			"socket": func() error { _, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0); return err },
			"getuid": func() error { // by RawSyscall
				if os.Getuid() < 0 {
					return unix.EPERM
				}
				return nil
			},
			"write":  func() error { _, err := os.Stderr.WriteString("must not be seen\n"); return err },
			"kill":   func() error { return unix.Kill(os.Getpid(), unix.SIGKILL) },
			"clone":  func() error { _, _, errno := syscall.RawSyscall(unix.SYS_CLONE, 0, 0, 0); return errno },
			"tgkill": func() error { return unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGKILL) },
			"mmap": func() error {
				for _, how := range [][2]int{
					{unix.PROT_EXEC, unix.MAP_PRIVATE},
					{unix.PROT_WRITE, unix.MAP_SHARED},
					{unix.PROT_WRITE, unix.MAP_SHARED_VALIDATE},
					{unix.PROT_WRITE, unix.MAP_PRIVATE | unix.MAP_GROWSDOWN},
				} {
					if _, err := unix.Mmap(-1, 0, 4096, how[0], unix.MAP_ANONYMOUS|how[1]); !errors.Is(err, unix.EPERM) {
						return err
					}
				}
				return unix.EPERM
			},
			"exit_group": func() error { syscall.Exit(0); return unix.EPERM },
		} {
			var got error
			first, denied, err := thread.Do(func() { got = fn() })
			// A signal in the middle makes the kernel ask twice.
			if denied < 1 || err != nil || Name(first.Nr) != name || !errors.Is(got, unix.EPERM) && name != "getuid" {
				t.Errorf("%s: %d refused, first %s; the function saw %v; %v", name, denied, Name(first.Nr), got, err)
			}
		}
	}
	must(t, thread, "nothing", func() {})
}

var (
	sink [][]byte
	null *int
)

// TestRuntime does on a thread what may make Go's runtime call the system.
func TestRuntime(t *testing.T) {
	thread := newThread(t)
	must(t, thread, "collection", func() {
		for range 20 {
			sink = nil
			for range 64 {
				sink = append(sink, make([]byte, 1<<20))
			}
			runtime.GC()
		}
		sink = nil
	})
	must(t, thread, "timers", func() {
		for i := range 50 {
			time.Sleep(time.Duration(i) * 20 * time.Microsecond)
			<-time.After(time.Millisecond)
			time.AfterFunc(time.Microsecond, func() {}).Stop()
		}
	})
	must(t, thread, "goroutines", func() {
		var wg sync.WaitGroup
		for range 1000 {
			wg.Go(func() { time.Sleep(time.Millisecond) })
		}
		wg.Wait()
	})
	must(t, thread, "panics", func() {
		for range 100 {
			func() {
				defer func() { _ = recover() }()
				*null = 1
			}()
			func() {
				defer func() { _ = recover() }()
				panic("x")
			}()
		}
	})
	must(t, thread, "preemption", func() {
		for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
			busy()
		}
	})
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		t.Fatal(err)
	}
	must(t, thread, "profile", func() {
		for end := time.Now().Add(100 * time.Millisecond); time.Now().Before(end); {
			busy()
			runtime.Gosched()
		}
	})
	pprof.StopCPUProfile()
	must(t, thread, "profiled", runtime.Gosched)
	must(t, thread, "stack", func() { deep(100000) })
	must(t, thread, "world", func() {
		for range 10 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
		}
	})
}

//go:noinline
func busy() {
	for i := range 1000000 {
		_ = i
	}
}

//go:noinline
func deep(n int) int {
	if n == 0 {
		return 0
	}
	var pad [64]byte
	return deep(n-1) + int(pad[n%64]) + 1
}

// filtered lists the threads of this process that are under a filter.
func filtered(t *testing.T) map[int]bool {
	t.Helper()
	threads := map[int]bool{}
	list, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range list {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		if strings.Contains(string(text), "\nSeccomp:\t2") {
			var tid int
			if _, err := fmt.Sscanf(name, "/proc/self/task/%d/status", &tid); err != nil {
				t.Fatal(err)
			}
			threads[tid] = true
		}
	}
	return threads
}

// TestNotInherited makes the runtime start threads because of what goroutines on
// filtered threads do, and looks which threads have a filter.
func TestNotInherited(t *testing.T) {
	want := map[int]bool{}
	var threads []*Thread
	for range 4 {
		thread := newThread(t)
		want[thread.TID()] = true
		threads = append(threads, thread)
	}
	check := func() {
		t.Helper()
		for tid := range filtered(t) {
			if !want[tid] {
				t.Errorf("thread %d has a filter and is none of %v", tid, want)
			}
		}
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	tids := map[int]bool{}
	for _, thread := range threads {
		wg.Go(func() {
			must(t, thread, "start threads", func() {
				var inner sync.WaitGroup
				for range 32 {
					inner.Go(func() {
						runtime.LockOSThread() // the thread ends with its goroutine
						mu.Lock()
						tids[unix.Gettid()] = true
						mu.Unlock()
						_ = unix.Nanosleep(&unix.Timespec{Nsec: 100e6}, nil)
					})
				}
				inner.Wait()
			})
		})
	}
	for range 20 {
		check()
		time.Sleep(5 * time.Millisecond)
	}
	wg.Wait()
	check()
	if len(tids) < 64 {
		t.Errorf("only %d threads were used", len(tids))
	}
}

// TestRawSyscallOneProcessor: a refused system call that keeps its place in the
// scheduler is answered although there is no other place, and while others wait
// for a collection. With a goroutine as supervisor nothing would go on.
func TestRawSyscallOneProcessor(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	thread := newThread(t)
	stop := make(chan bool)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	for range 100 {
		if _, denied, err := thread.Do(func() {
			for range 100 {
				os.Getuid()
			}
		}); denied < 100 || err != nil {
			t.Fatal(denied, err)
		}
	}
	close(stop)
	wg.Wait()
}

// TestGoexit: a function that ends its goroutine ends the thread.
func TestGoexit(t *testing.T) {
	t.Parallel()
	thread := newThread(t)
	if _, _, err := thread.Do(runtime.Goexit); !errors.Is(err, ErrEnded) || thread.Usable() {
		t.Errorf("%v, usable: %v", err, thread.Usable())
	}
}

func BenchmarkDo(b *testing.B) {
	thread := newThread(b)
	for b.Loop() {
		_, _, _ = thread.Do(func() {})
	}
}

func BenchmarkStart(b *testing.B) {
	r, _ := FindRuntime()
	program, err := Compile(Base(r))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		thread, err := StartThread(program)
		if err != nil {
			b.Fatal(err)
		}
		thread.Close()
	}
}
