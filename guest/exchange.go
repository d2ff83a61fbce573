package guest

import (
	"errors"
	"fmt"
	"sync"
	"unsafe"

	"github.com/airlockvm/airlock/internal/abi"
)

// Operations of abi.Syscall.
const (
	operationInfo    = uintptr(abi.OperationInfo)
	operationDeclare = uintptr(abi.OperationDeclare)
	operationNext    = uintptr(abi.OperationNext)
	operationHost    = uintptr(abi.OperationHost)
	operationLog     = uintptr(abi.OperationLog)
	operationAbort   = uintptr(abi.OperationAbort)
)

var (
	errNotInSandbox = errors.New("it is not in an Airlock sandbox")
	errNoCaller     = errors.New("it was run, and not called: see \"airlock call\"")
)

// buffers are the message buffers that are shared with the host.
var buffers struct {
	mu            sync.Mutex // one exchange at a time
	output, input []byte
}

// connect finds the message buffers.
func connect() error {
	var info abi.Info
	if _, err := system(operationInfo, uintptr(unsafe.Pointer(&info))); err != nil {
		return errNotInSandbox
	}
	switch {
	case info.ABIVersion != abi.ABIVersion:
		return fmt.Errorf("it was built for ABI version %d, and the sandbox has %d", abi.ABIVersion, info.ABIVersion)
	case info.Serve == 0:
		return errNoCaller
	}
	buffers.mu.Lock()
	defer buffers.mu.Unlock()
	buffers.output = shared(info.Output, info.OutputSize)
	buffers.input = shared(info.Input, info.InputSize)
	return nil
}

// shared is the memory that the guest kernel has mapped at an address, for good.
func shared(address, size uint64) []byte {
	// Safety: the kernel mapped size bytes there, outside the Go heap, and nothing
	// unmaps them.
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&address))), size)
}

// exchange sends the message that put writes, and returns a copy of the answer.
func exchange(operation uintptr, put func(buffer []byte) (int, error)) ([]byte, error) {
	buffers.mu.Lock()
	defer buffers.mu.Unlock()
	if buffers.output == nil {
		return nil, errNotInSandbox
	}
	n, err := put(buffers.output)
	if err != nil {
		return nil, err
	}
	length, err := system(operation, uintptr(n))
	if err != nil {
		return nil, err
	}
	return append([]byte(nil), buffers.input[:length]...), nil
}
