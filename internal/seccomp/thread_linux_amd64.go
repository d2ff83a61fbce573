package seccomp

import (
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/leak"
)

// A refused system call waits in the kernel until a supervisor has answered it.
// The supervisor can't be a goroutine: the call may have been made with
// RawSyscall, as package syscall does for socket(2) and others, and then the
// thread keeps its place in Go's scheduler while it waits. A goroutine that is
// to answer may need that very place, or the end of a garbage collection that
// waits for the thread, and all stands still. So each filtered thread is
// accompanied by one that Go's scheduler has no part in, written in assembly.
// It writes down what was refused and answers EPERM.

// Denial is a system call that was refused.
type Denial struct {
	Nr   int
	Arch uint32
	IP   uint64
	Args [6]uint64
}

// arena is what a filtered thread and its supervisor share. The assembly knows
// its layout, and TestArena checks that.
type arena struct {
	tid      uint32 // of the supervisor, until it has ended
	fd       int32  // of the filter, when it is installed
	poll     [2]uint32
	count    uint32 // system calls that were refused
	_        [3]uint32
	response [4]uint64
	notif    [10]uint64
	_        [6]uint64
	log      [logSize]data
}

// logSize is a power of two that the assembly knows too.
const logSize = 16

// data is struct seccomp_data.
type data struct {
	nr   int32
	arch uint32
	ip   uint64
	args [6]uint64
}

const (
	fdUnknown = -1
	fdNone    = -2
)

//go:noescape
func startSupervisor(a *arena) (errno int32)

// Thread is a thread under a filter. One goroutine at a time uses it.
type Thread struct {
	arena *arena
	tid   int
	all   unix.CPUSet // the processors that it may use
	bound int         // the one that it is bound to, or unbound
	track *leak.Resource

	work   atomic.Uint32 // counts what the thread was asked for; it sleeps on this word
	fn     func()        // what to do next; nil to end
	ended  bool          // the function has ended the goroutine
	state  atomic.Uint32
	parked chan struct{} // has one entry if who waits was asleep
}

// States of what the thread was asked for last.
const (
	stateDone    = iota
	stateWorking // nobody sleeps until it is done
	stateAwaited // somebody does
)

// LoadShared loads what Go's standard library reads from files at its first use and
// keeps for the whole process, as far as every program may need it. Under a filter the
// first use would fail, and the process would have none for ever: the time zone.
func LoadShared() { _, _ = time.Now().Zone() }

// StartThread starts a thread under a program that Compile has made.
func StartThread(program []bpf.RawInstruction) (*Thread, error) {
	LoadShared()
	memory, err := unix.Mmap(-1, 0, int(unsafe.Sizeof(arena{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return nil, fmt.Errorf("seccomp: mmap: %w", err)
	}
	// Safety: a mapping is page-aligned, zeroed and as long as an arena.
	a := (*arena)(unsafe.Pointer(&memory[0]))
	a.fd = fdUnknown
	t := &Thread{arena: a, bound: unbound, parked: make(chan struct{}, 1), track: leak.Open("filtered thread")}
	started := make(chan error)
	go t.main(program, started)
	if err := <-started; err != nil {
		t.reap()
		return nil, err
	}
	return t, nil
}

// main is the thread: it takes its filter on and works until it is asked for
// nothing. It never unlocks, so that the runtime ends the thread with it.
func (t *Thread) main(program []bpf.RawInstruction, started chan<- error) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The process's first thread can't end before the process. While it is held
		// here another goroutine gets another one.
		moved := make(chan error)
		go t.main(program, moved)
		err := <-moved
		runtime.UnlockOSThread()
		started <- err
		return
	}
	if err := t.install(program); err != nil {
		started <- err
		return
	}
	defer func() {
		if t.state.Load() != stateDone { // by runtime.Goexit
			t.ended = true
			t.finish()
		}
	}()
	started <- nil
	for asked := uint32(0); ; {
		for t.work.Load() == asked {
			// Asleep in the kernel, and not in Go's scheduler: see wait.
			futex(&t.work, futexWait, uintptr(asked), nil)
		}
		asked++
		if t.fn == nil {
			return
		}
		t.fn()
		t.fn = nil
		t.finish()
	}
}

// finish says that what was asked for is done.
func (t *Thread) finish() {
	if t.state.Swap(stateDone) == stateAwaited {
		t.parked <- struct{}{}
		return
	}
	futex(&t.state, futexWake, 1, nil)
}

// ask gives the thread something to do and wakes it.
func (t *Thread) ask(fn func()) {
	t.fn = fn
	t.come()
	t.work.Add(1)
	futex(&t.work, futexWake, 1, nil)
}

// short is how long a function may take before it is taken for a long one.
const short = 200 * time.Microsecond

// wait waits until what was asked for is done.
//
// At first it does so in the kernel, on the processor to which the thread has
// come: handing over to it and back is then two switches between threads, a few
// microseconds, where waking another processor takes fifty in a virtual machine.
// A function that takes longer gets all processors, and whoever waits gives its
// place in Go's scheduler away, which the thread may be in need of.
func (t *Thread) wait() {
	if runtime.GOMAXPROCS(0) > 1 {
		limit := unix.NsecToTimespec(int64(short))
		for t.state.Load() == stateWorking {
			if futex(&t.state, futexWait, stateWorking, &limit) == unix.ETIMEDOUT {
				break
			}
		}
		if t.state.Load() == stateDone {
			return
		}
	}
	t.scatter()
	if t.state.CompareAndSwap(stateWorking, stateAwaited) {
		<-t.parked
	}
}

// come binds the thread, which sleeps, to the processor of the caller. If that
// fails, it only takes longer.
func (t *Thread) come() {
	var cpu uint32
	// Safety: the kernel writes one word, and for nil nothing.
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), 0, 0); errno != 0 || int(cpu) == t.bound {
		return
	}
	var set unix.CPUSet
	set.Set(int(cpu))
	if unix.SchedSetaffinity(t.tid, &set) == nil {
		t.bound = int(cpu)
	}
}

// scatter takes come back.
func (t *Thread) scatter() {
	if t.bound != unbound {
		_ = unix.SchedSetaffinity(t.tid, &t.all) // it may have ended meanwhile
		t.bound = unbound
	}
}

// unbound is the number of no processor.
const unbound = -1

// futex is futex(2) on a number that nobody outside the process knows. It can
// wait without a limit.
func futex(word *atomic.Uint32, op, value uintptr, limit *unix.Timespec) unix.Errno {
	// Safety: an atomic.Uint32 is its number; both live until the call has returned.
	if op == futexWake {
		_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), op|futexPrivate, value, 0, 0, 0)
		return errno
	}
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), op|futexPrivate, value,
		uintptr(unsafe.Pointer(limit)), 0, 0)
	return errno
}

// install puts the thread under the filter. Preconditions: the goroutine is
// locked to it.
func (t *Thread) install(program []bpf.RawInstruction) error {
	t.tid = unix.Gettid()
	if err := unix.SchedGetaffinity(0, &t.all); err != nil {
		return fmt.Errorf("seccomp: sched_getaffinity: %w", err)
	}
	a := t.arena
	if errno := startSupervisor(a); errno != 0 {
		a.fd = fdNone
		return fmt.Errorf("%w: clone: %w", ErrUnsupported, unix.Errno(errno)) //nolint:gosec // G115: an error number
	}
	fd, err := installFilter(program, 0)
	if err != nil {
		fd = fdNone
	}
	atomic.StoreInt32(&a.fd, int32(fd)) //nolint:gosec // G115: a descriptor
	// Raw: nothing may happen between the filter and its supervisor. Safety: the
	// arena is no memory of Go's and lives until reap.
	_, _, _ = unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&a.fd)), futexWake, 1, 0, 0, 0)
	return err
}

const (
	futexWait    = 0   // FUTEX_WAIT
	futexWake    = 1   // FUTEX_WAKE
	futexPrivate = 128 // FUTEX_PRIVATE_FLAG
)

// installFilter puts a filter on the calling thread, for good, and returns the
// descriptor by which it is supervised.
func installFilter(program []bpf.RawInstruction, flags uintptr) (int, error) {
	filter := make([]unix.SockFilter, len(program))
	for i, in := range program {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]} //nolint:gosec // G115: at most maxProgram
	// Without this an unprivileged thread may have no filter. It concerns the
	// thread only.
	if _, _, errno := unix.RawSyscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		return 0, fmt.Errorf("%w: prctl(PR_SET_NO_NEW_PRIVS): %w", ErrUnsupported, errno)
	}
	// Safety: prog and what it points to live until the call has returned.
	fd, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER|flags, uintptr(unsafe.Pointer(&prog)))
	runtime.KeepAlive(&prog)
	if errno != 0 {
		return 0, fmt.Errorf("%w: seccomp(SECCOMP_SET_MODE_FILTER) with a listener: %w", ErrUnsupported, errno)
	}
	return int(fd), nil
}

// ErrEnded means that the function has ended its goroutine, and the thread with
// it.
var ErrEnded = errors.New("seccomp: the function ended its goroutine")

// Do calls fn on the thread and waits until it has returned. It returns the
// first system call that was refused meanwhile, and how many were.
func (t *Thread) Do(fn func()) (first Denial, denied int, err error) {
	before := atomic.LoadUint32(&t.arena.count)
	t.state.Store(stateWorking)
	t.ask(fn)
	t.wait()
	if t.ended {
		err = ErrEnded
	}
	if denied = int(atomic.LoadUint32(&t.arena.count) - before); denied > 0 {
		// If there were more than fit, the oldest that is still known.
		oldest := before + uint32(max(denied-logSize, 0)) //nolint:gosec // G115: not negative
		d := t.arena.log[oldest%logSize]
		first = Denial{Nr: int(d.nr), Arch: d.arch, IP: d.ip, Args: d.args}
	}
	return first, denied, err
}

// TID returns the thread's number.
func (t *Thread) TID() int { return t.tid }

// Usable reports whether the thread can do more.
func (t *Thread) Usable() bool { return !t.ended }

// Close ends the thread, which must not be in use.
func (t *Thread) Close() {
	if !t.ended {
		t.ask(nil)
	}
	go t.reap()
}

// reap waits until the supervisor has ended, which it does when the thread has,
// and gives back what they used.
func (t *Thread) reap() {
	a := t.arena
	for tid := atomic.LoadUint32(&a.tid); tid != 0; tid = atomic.LoadUint32(&a.tid) {
		// The kernel wakes who waits here when the thread is gone: CLONE_CHILD_CLEARTID
		// in clone(2). Safety: as in install.
		_, _, _ = unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&a.tid)), futexWait, uintptr(tid), 0, 0, 0)
	}
	if a.fd >= 0 {
		_ = unix.Close(int(a.fd))
	}
	// Safety: it was mapped with this length by StartThread.
	_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(a)), unsafe.Sizeof(*a)))
	t.track.Close()
}
