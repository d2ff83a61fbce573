package kvm

import (
	"errors"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/faults"
)

// The system calls of this package. Everything above them builds everywhere.
//
// All ioctls go through Syscall, so that the Go scheduler can take the
// processor away from a goroutine that is in one: KVM_RUN lasts as long as the
// guest wants, and RawSyscall would stop garbage collection for that time.

const (
	errInterrupted = unix.EINTR
	errWrongSystem = unix.ENODEV
	errNoEntry     = unix.ENOENT
	errPermission  = unix.EACCES
	errInvalid     = unix.EINVAL
)

func openDevice(path string) (int, error) {
	for {
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			return fd, err
		}
	}
}

func closeFD(fd int) error { return unix.Close(fd) }

// ioctlOnce makes one ioctl with a number or nothing as argument.
func ioctlOnce(fd int, request, arg uintptr) (int, error) {
	if err := faults.Check(); err != nil {
		return -1, err
	}
	r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, arg)
	if errno != 0 {
		return -1, errno
	}
	return int(r), nil
}

// ioctl is ioctlOnce, again for as long as signals interrupt it. The Go runtime
// sends signals on its own, and KVM_CREATE_VM among others gives up for any.
func ioctl(fd int, request, arg uintptr) (int, error) {
	for {
		r, err := ioctlOnce(fd, request, arg)
		if !errors.Is(err, unix.EINTR) {
			return r, err
		}
	}
}

// ioctlPtr is ioctl with the address of a struct.
func ioctlPtr(fd int, request uintptr, arg unsafe.Pointer) (int, error) {
	if err := faults.Check(); err != nil {
		return -1, err
	}
	for {
		// Safety: the conversion is part of the call, which keeps arg alive and in place.
		r, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return -1, errno
		}
		return int(r), nil
	}
}

func mapShared(fd, size int) ([]byte, error) {
	if err := faults.Check(); err != nil {
		return nil, err
	}
	return unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func unmap(b []byte) error { return unix.Munmap(b) }

// ThreadID returns the kernel's id of the calling thread. It means something
// only to a goroutine that is locked to its thread.
func ThreadID() int { return unix.Gettid() }

// SignalThread sends SIGURG to a thread of this process. Go's runtime sends the
// same to preempt goroutines, and so takes a stray one without effect.
func SignalThread(tid int) error {
	if err := unix.Tgkill(unix.Getpid(), tid, unix.SIGURG); err != nil {
		return &Error{Op: "tgkill", Err: err}
	}
	return nil
}

func kernelRelease() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", &Error{Op: "uname", Err: err}
	}
	return unix.ByteSliceToString(u.Release[:]), nil
}
