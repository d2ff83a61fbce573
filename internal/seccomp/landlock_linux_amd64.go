package seccomp

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// LandlockVersion returns the version of Landlock's ABI, or 0 if there is none.
func LandlockVersion() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(version) //nolint:gosec // G115: small
}

// EnterDomain gives the thread a domain that forbids as little as one can: to make
// block devices (landlock(7)). A domain also forbids what moves files between directories, unless it
// allows that. The thread must not be able to gain privileges (PR_SET_NO_NEW_PRIVS).
func EnterDomain() error {
	attr := unix.LandlockRulesetAttr{Handled_access_fs: unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK}
	const withRefer = 2
	refer := LandlockVersion() >= withRefer
	if refer {
		attr.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	// Safety: the kernel reads as much of the attribute as the first version has.
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr.Handled_access_fs), 0)
	if errno != 0 {
		return fmt.Errorf("landlock_create_ruleset: %w", errno)
	}
	ruleset := int(fd)        //nolint:gosec // G115: a descriptor
	defer unix.Close(ruleset) //nolint:errcheck // nothing was written
	if refer {
		root, err := unix.Open("/", unix.O_PATH|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open: %w", err)
		}
		defer unix.Close(root)                                                                                      //nolint:errcheck // nothing was written
		rule := unix.LandlockPathBeneathAttr{Allowed_access: unix.LANDLOCK_ACCESS_FS_REFER, Parent_fd: int32(root)} //nolint:gosec // G115: a descriptor
		// Safety: the kernel reads the two fields, which lie one behind the other.
		if _, _, errno := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(ruleset), unix.LANDLOCK_RULE_PATH_BENEATH,
			uintptr(unsafe.Pointer(&rule)), 0, 0, 0); errno != 0 {
			return fmt.Errorf("landlock_add_rule: %w", errno)
		}
	}
	if _, _, errno := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(ruleset), 0, 0); errno != 0 {
		return fmt.Errorf("landlock_restrict_self: %w", errno)
	}
	return nil
}
