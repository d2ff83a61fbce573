package guest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
	errAnswer       = errors.New("the answer is longer than its buffer")
	errNoCaller     = errors.New("it was run, and not called: see \"airlock call\"")
)

// buffers are the message buffers that are shared with the host.
var buffers struct {
	mu            sync.Mutex // one exchange at a time
	output, input []byte
}

// connect finds the message buffers.
func connect() error {
	// The kernel writes as much as it has. That may once be more than this SDK
	// knows of.
	var room [256 / 8]uint64
	info := (*abi.Info)(unsafe.Pointer(&room))
	if _, err := system(operationInfo, uintptr(unsafe.Pointer(&room))); err != nil {
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
	generation.word = (*uint64)(at(info.Generation))
	generation.seen = atomic.LoadUint64(generation.word)
	return nil
}

// generation is the host's number for what the program can't notice otherwise:
// that its memory is a copy, or that of another time.
var generation struct {
	word *uint64 // in the clock page, which the host writes
	seen uint64
}

// restored reports whether the sandbox was restored since it was asked last.
func restored() bool {
	before := generation.seen
	generation.seen = atomic.LoadUint64(generation.word)
	return generation.seen != before
}

// at is the address of what the guest kernel has mapped for good, outside the
// Go heap.
func at(address uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// shared is memory that the guest kernel has mapped.
func shared(address, size uint64) []byte {
	// Safety: the kernel mapped size bytes there, and nothing unmaps them.
	return unsafe.Slice((*byte)(at(address)), size)
}

// exchange sends the message that put writes, and gives the answer to get. The
// host wrote it and does not touch it until the next exchange: get reads it where
// it is, and must not keep any part of it.
func exchange(operation uintptr, put func(buffer []byte) (int, error), get func(answer []byte) error) error {
	buffers.mu.Lock()
	defer buffers.mu.Unlock()
	if buffers.output == nil {
		return errNotInSandbox
	}
	n, err := put(buffers.output)
	if err != nil {
		return err
	}
	length, err := system(operation, uintptr(n))
	switch {
	case err != nil:
		return err
	case length > uintptr(len(buffers.input)):
		return errAnswer
	}
	return get(buffers.input[:length])
}

// ignore is for answers that say nothing.
func ignore([]byte) error { return nil }
