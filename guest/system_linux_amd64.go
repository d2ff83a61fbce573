package guest

import (
	"syscall"

	"github.com/airlockvm/airlock/internal/abi"
)

// system makes the system call that guests have of us. It stops the whole
// virtual machine, so that it need not tell Go's scheduler that it blocks.
func system(operation, argument uintptr) (uintptr, error) {
	result, _, errno := syscall.RawSyscall(abi.Syscall, operation, argument, 0)
	if errno != 0 {
		return 0, errno
	}
	return result, nil
}

// out makes a hypercall: it writes 0 to a port, which every program of a sandbox
// may do. The host may have changed any memory when it returns.
func out(port uint16)

// adviseWillNeed is madvise(2) with MADV_WILLNEED. An error means that there is
// nothing to advise.
func adviseWillNeed(start, size uintptr) {
	_, _, _ = syscall.RawSyscall(syscall.SYS_MADVISE, start, size, syscall.MADV_WILLNEED)
}
