package worker

import (
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/seccomp"
)

// A worker has the user of the application, and a filter that lets it read files lets
// it read /proc: the environment, the descriptors and the memory of the application.
// Landlock (landlock(7)) keeps a process that has a domain from looking into processes
// that are not in it, whatever the files in /proc say. A domain is a thread's, which
// its children and the program that it executes inherit; and Go has started threads
// long before this package runs. So a worker takes one on in its first life, on one
// thread, and executes itself.

// firstLife is the third argument of a worker that has no domain yet.
const firstLife = "first"

// CanFence reports whether workers can be kept from looking into other processes.
func CanFence() bool { return seccomp.LandlockVersion() > 0 }

// fence begins the worker's second life. It returns only if that fails.
func fence() error {
	runtime.LockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", err)
	}
	if err := dropCapabilities(); err != nil {
		return err
	}
	if CanFence() { // else the application has decided that it may do without
		if err := seccomp.EnterDomain(); err != nil {
			return err
		}
	}
	// This thread takes the first one's place, which had been given that.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_PDEATHSIG): %w", err)
	}
	return fmt.Errorf("execve: %w", unix.Exec("/proc/self/exe", []string{arg0, os.Args[1]}, nil))
}

// dropCapabilities gives up what the thread has. What it executes next has none then,
// not even as root, because it may gain no privileges. With some of them even a domain
// can be looked out of.
func dropCapabilities() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&header, &none[0]); err != nil {
		return fmt.Errorf("capset: %w", err)
	}
	return nil
}
