package seccomp

// Numbers of x86-64 Linux that rules compare with. They are here, and not taken
// from package unix, so that rules can be compiled and tested anywhere.
const (
	protExec     = 0x4                     // PROT_EXEC
	protWrite    = 0x2                     // PROT_WRITE
	mapAnonymous = 0x20                    // MAP_ANONYMOUS
	mapUncounted = 0x1 | 0x100             // MAP_SHARED, MAP_GROWSDOWN: what RLIMIT_DATA does not count
	sigurg       = 23                      // SIGURG
	threadClock  = 3                       // CLOCK_THREAD_CPUTIME_ID
	prSetVMA     = 0x53564d41              // PR_SET_VMA
	accessMode   = 0x3                     // O_ACCMODE; O_RDONLY is 0
	createFlags  = 0x40 | 0x200 | 0x400000 // O_CREAT, O_TRUNC, O_TMPFILE
	fcntlFlags   = 4                       // F_SETFL; F_GETFD, F_SETFD and F_GETFL are 1 to 3
)

// Runtime is what rules must know of the Go runtime of this process.
type Runtime struct {
	PID   uint64
	Epoll uint64 // the network poller's epoll(7) descriptor
	Wake  uint64 // the eventfd(2) by which it is woken
}

// Base returns the rules that Go's runtime needs on a thread that runs a
// goroutine which is locked to it. Each is there for a reason that the tests
// provoke; none opens a way out of the process.
//
// There is no clone(2): the runtime starts threads from a thread of its own when
// a goroutine is locked ("ask a known-good thread to create the thread for us",
// runtime/proc.go), so that no thread inherits a filter.
func Base(r Runtime) []Rule {
	rules := Allow(
		// Locks, and giving up the processor.
		"futex", "sched_yield", "nanosleep", "clock_nanosleep", "restart_syscall",
		// Memory that goes back to the system; for more see below.
		"munmap", "madvise",
		// Signals: the runtime preempts goroutines with SIGURG and turns faults into
		// panics. What is blocked or handled changes nothing outside the process.
		"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack",
		// Time, where the vDSO can't tell it, and names of the process itself.
		"clock_gettime", "gettimeofday", "time", "getpid", "gettid",
		"getrandom",
		// The end of the thread.
		"exit",
	)
	return append(rules,
		Rule{"mmap", []Arg{{3, AnyBits, mapAnonymous}, {3, NoBits, mapUncounted}, {2, NoBits, protExec}}},
		// Memory that can't be written to any more would not count either.
		Rule{"mprotect", []Arg{{2, NoBits, protExec}, {2, AnyBits, protWrite}}},
		// The runtime names its mappings.
		Rule{"prctl", []Arg{{0, Equal, prSetVMA}}},
		Rule{"tgkill", []Arg{{0, Equal, r.PID}, {2, Equal, sigurg}}},
		// A fatal error of the runtime ends the process with 2, or up to 5 if it meets
		// another on its way. os.Exit with other numbers is refused.
		Rule{"exit_group", []Arg{{0, AtLeast, 2}, {0, AtMost, 5}}},
		// The network poller: looked at by who starts the world after a collection,
		// woken by who sets a timer that is due before all others.
		Rule{"epoll_pwait", []Arg{{0, Equal, r.Epoll}}},
		Rule{"epoll_wait", []Arg{{0, Equal, r.Epoll}}},
		Rule{"write", []Arg{{0, Equal, r.Wake}}},
		Rule{"read", []Arg{{0, Equal, r.Wake}}},
		// While the process is profiled each thread has a timer of its own.
		Rule{"timer_create", []Arg{{0, Equal, threadClock}}},
		Rule{Name: "timer_settime"}, Rule{Name: "timer_delete"},
	)
}

// ReadFiles returns the rules for reading files and directories with package os.
func ReadFiles(r Runtime) []Rule {
	return append(Allow("read", "pread64", "readv", "lseek", "fstat", "newfstatat", "stat", "lstat", "statx",
		"readlinkat", "getdents64", "faccessat", "faccessat2", "getcwd", "close"),
		Rule{"openat", []Arg{{2, NoBits, accessMode | createFlags}}},
		Rule{"fcntl", []Arg{{1, AtMost, fcntlFlags}, {1, AtLeast, 1}}},
		Rule{"epoll_ctl", []Arg{{0, Equal, r.Epoll}}},
	)
}

// WriteTo returns the rules for writing to descriptors.
func WriteTo(descriptors []int) []Rule {
	var rules []Rule
	for _, fd := range descriptors {
		for _, name := range []string{"write", "writev", "pwrite64"} {
			rules = append(rules, Rule{name, []Arg{{0, Equal, uint64(fd)}}}) //nolint:gosec // G115: checked by the caller
		}
	}
	return rules
}

// Sockets returns the rules for clients of the address families, with package
// net. A filter can't tell sockets from other descriptors, so that reading and
// writing is allowed for all of them.
func Sockets(r Runtime, families []int) []Rule {
	if len(families) == 0 {
		return nil
	}
	rules := append(Allow("connect", "getsockname", "getpeername", "getsockopt", "setsockopt", "shutdown",
		"sendto", "recvfrom", "sendmsg", "recvmsg", "read", "write", "readv", "writev", "close"),
		Rule{"fcntl", []Arg{{1, AtMost, fcntlFlags}, {1, AtLeast, 1}}},
		Rule{"epoll_ctl", []Arg{{0, Equal, r.Epoll}}},
	)
	for _, family := range families {
		rules = append(rules, Rule{"socket", []Arg{{0, Equal, uint64(family)}}}) //nolint:gosec // G115: checked by the caller
	}
	return rules
}

// Talk are the descriptors by which a process under a filter talks: pipes to read from
// and write to, and the socket by which it sends the filter's away.
type Talk struct{ Read, Write, Ready, Filter int }

// Process returns the rules that a whole process under a filter needs beyond
// Base: to start threads, to end, and to talk. When it is ready it closes the socket:
// from then on nothing but bytes gets to the application.
func Process(r Runtime, t Talk) []Rule {
	const (
		cloneThread     = 0x10000    // CLONE_THREAD
		cloneNamespaces = 0x7e020080 // CLONE_NEWTIME, NEWNS, NEWCGROUP and so on
	)
	fd := func(n int) []Arg { return []Arg{{0, Equal, uint64(n)}} } //nolint:gosec // G115: descriptors
	return append(Allow("exit_group", "set_robust_list", "rseq", "sched_getaffinity"),
		Rule{"clone", []Arg{{0, AnyBits, cloneThread}, {0, NoBits, cloneNamespaces}}},
		Rule{"tgkill", []Arg{{0, Equal, r.PID}}},
		Rule{"read", fd(t.Read)},
		Rule{"write", fd(t.Write)},
		Rule{"sendmsg", fd(t.Ready)},
		Rule{"write", fd(t.Ready)}, // why it is not ready
		Rule{"close", fd(t.Ready)},
		Rule{"close", fd(t.Filter)},
		// Where it goes is /dev/null, but the runtime's last words should not be
		// taken for a refused system call.
		Rule{"write", fd(2)},
	)
}
