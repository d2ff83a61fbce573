//go:build !(linux && amd64)

package kvm

import (
	"errors"
	"runtime"
	"unsafe"
)

// Stand-ins for the system calls where there is no KVM for x86-64 guests, so
// that programs which import Airlock build there. openDevice always fails,
// hence no other one is reached.

var errPlatform = errors.New("KVM for x86-64 guests needs linux/amd64, this is " + runtime.GOOS + "/" + runtime.GOARCH)

var (
	errInterrupted = errors.New("interrupted")
	errWrongSystem = errPlatform
	errNoEntry     = errPlatform
	errPermission  = errors.New("permission denied")
	errInvalid     = errors.New("invalid argument")
)

func openDevice(string) (int, error)                     { return -1, errPlatform }
func closeFD(int) error                                  { return errPlatform }
func ioctlOnce(int, uintptr, uintptr) (int, error)       { return -1, errPlatform }
func ioctl(int, uintptr, uintptr) (int, error)           { return -1, errPlatform }
func ioctlPtr(int, uintptr, unsafe.Pointer) (int, error) { return -1, errPlatform }
func mapShared(int, int) ([]byte, error)                 { return nil, errPlatform }
func unmap([]byte) error                                 { return errPlatform }
func kernelRelease() (string, error)                     { return "", errPlatform }

// ThreadID returns 0.
func ThreadID() int { return 0 }

// SignalThread fails.
func SignalThread(int) error { return errPlatform }

// HostCPUID returns an empty leaf.
func HostCPUID(function, index uint32) CPUIDEntry {
	return CPUIDEntry{Function: function, Index: index}
}
