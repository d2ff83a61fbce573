package seccomp

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ConfineProcess puts all threads of the process, and those that they will
// start, under a filter, for good. It returns the descriptor by which the filter
// is supervised: of another process, which must get it, since who has it can
// allow everything.
func ConfineProcess(program []bpf.RawInstruction) (int, error) {
	// Without SECCOMP_FILTER_FLAG_TSYNC_ESRCH a failure would be told in the
	// number that is the descriptor otherwise.
	return installFilter(program, unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH)
}

const (
	notifRecv = 0xc0502100 // SECCOMP_IOCTL_NOTIF_RECV
	notifSend = 0xc0182101 // SECCOMP_IOCTL_NOTIF_SEND
)

// Watch reads what the filter of another process refuses until that process has
// ended, and answers with an error number. refuse is told of each and returns
// the number.
func Watch(filter *os.File, refuse func(Denial) unix.Errno) error {
	raw, err := filter.SyscallConn()
	if err != nil {
		return fmt.Errorf("seccomp: watch: %w", err)
	}
	return raw.Read(func(fd uintptr) bool {
		for {
			poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}        //nolint:gosec // G115: a descriptor
			if _, err := unix.Poll(poll, 0); err != nil && err != unix.EINTR { //nolint:errorlint // an error number
				return true
			}
			switch {
			case poll[0].Revents&unix.POLLIN != 0:
				answer(fd, refuse)
			case poll[0].Revents != 0:
				return true // "no more processes use the filter"
			default:
				return false
			}
		}
	})
}

// answer takes one notification and answers it.
func answer(fd uintptr, refuse func(Denial) unix.Errno) {
	var in struct {
		id         uint64
		pid, flags uint32
		data       data
	}
	// Safety: both are laid out as in seccomp_unotify(2), and zeroed as it demands.
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, notifRecv, uintptr(unsafe.Pointer(&in))); errno != 0 {
		return // a signal has taken the call back
	}
	d := Denial{Nr: int(in.data.nr), Arch: in.data.arch, IP: in.data.ip, Args: in.data.args}
	out := struct {
		id    uint64
		value int64
		errno int32
		flags uint32
	}{id: in.id, errno: -int32(refuse(d))} //nolint:gosec // G115: an error number
	// It fails when who waits has gone.
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, fd, notifSend, uintptr(unsafe.Pointer(&out)))
}
