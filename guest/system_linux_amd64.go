package guest

import (
	"syscall"

	"github.com/airlockvm/airlock/internal/abi"
)

// system makes the system call that guests have of us. It stops the whole
// virtual machine, so that it need not tell Go's scheduler that it blocks.
func system(operation, argument, sequence uintptr) (uintptr, error) {
	result, _, errno := syscall.RawSyscall(abi.Syscall, operation, argument, sequence)
	if errno != 0 {
		return 0, errno
	}
	return result, nil
}
