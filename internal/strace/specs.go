package strace

// specs says how the arguments of calls are shown, a letter each: d a decimal
// int, u a decimal size, f a directory descriptor, s the path and b the data
// that the record holds, x a hexadecimal number or a pointer. Calls that are
// not here show all six registers.
var specs = map[string]string{
	"access": "sx", "alarm": "u", "arch_prctl": "xx", "brk": "x", "chdir": "s", "clock_getres": "dx",
	"clock_gettime": "dx", "clock_nanosleep": "dxxx", "clone": "xxxxx", "clone3": "xu", "close": "d",
	"close_range": "uux", "dup": "d", "dup2": "dd", "dup3": "ddx", "epoll_create": "d", "epoll_create1": "x",
	"epoll_ctl": "dddx", "epoll_pwait": "dxddxu", "epoll_pwait2": "dxdxxu", "epoll_wait": "dxdd", "eventfd": "u",
	"eventfd2": "ux", "execve": "sxx", "exit": "d", "exit_group": "d", "faccessat": "fsx", "faccessat2": "fsxx",
	"fcntl": "ddx", "fork": "", "fstat": "dx", "futex": "xxuxxx", "getcpu": "xxx", "getcwd": "xu", "getdents64": "dxu",
	"getegid": "", "geteuid": "", "getgid": "", "getitimer": "dx", "getpgid": "d", "getpgrp": "", "getpid": "",
	"getppid": "", "getrandom": "xux", "getresgid": "xxx", "getresuid": "xxx", "getrlimit": "dx", "getrusage": "dx",
	"gettid": "", "gettimeofday": "xx", "getuid": "", "ioctl": "dxx", "kill": "dd", "lseek": "ddd", "lstat": "sx",
	"madvise": "xux", "mincore": "xux", "mlock": "xu", "mmap": "xuxxdx", "mprotect": "xux", "mremap": "xuuxx",
	"munlock": "xu", "munmap": "xu", "nanosleep": "xx", "newfstatat": "fsxx", "open": "sxx", "openat": "fsxx",
	"pause": "", "pipe": "x", "pipe2": "xx", "poll": "xud", "ppoll": "xuxxu", "prctl": "dxxxx", "pread64": "dxuu",
	"prlimit64": "ddxx", "pselect6": "dxxxxx", "pwrite64": "dxuu", "read": "dbu", "readlink": "sxu",
	"readlinkat": "fsxu", "readv": "dxd", "rt_sigaction": "dxxu", "rt_sigpending": "xu", "rt_sigprocmask": "dxxu",
	"rt_sigqueueinfo": "ddx", "rt_sigreturn": "", "rt_sigsuspend": "xu", "rt_sigtimedwait": "xxxu",
	"sched_getaffinity": "dux", "sched_setaffinity": "dux", "sched_yield": "", "select": "dxxxx",
	"set_robust_list": "xu", "set_tid_address": "x", "setitimer": "dxx", "setrlimit": "dx", "sigaltstack": "xx",
	"socket": "ddd", "stat": "sx", "statx": "fsxxx", "sysinfo": "x", "tgkill": "ddd", "time": "x",
	"timer_create": "dxx", "timer_delete": "d", "timer_gettime": "dx", "timer_settime": "dxxx",
	"timerfd_create": "dx", "timerfd_gettime": "dx", "timerfd_settime": "dxxx", "times": "x", "tkill": "dd",
	"uname": "x", "write": "dbu", "writev": "dxd",
}
