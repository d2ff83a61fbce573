package guest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/wire"
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
	outbox        *abi.Outbox
	inbox         *abi.Inbox
	message       *abi.Message
	leave         *uint32
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
	buffers.outbox = (*abi.Outbox)(at(info.Outbox))
	buffers.inbox = (*abi.Inbox)(at(info.Inbox))
	buffers.message = (*abi.Message)(at(info.Message))
	buffers.leave = (*uint32)(at(info.Leave))
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
// it is, and must not keep any part of it. Room is for the answer's text; it gets
// memory while the host is busy, and may be nil.
func exchange(operation uintptr, put func(buffer []byte) (int, error), get func(answer []byte) error, room *wire.Room) error {
	buffers.mu.Lock()
	defer buffers.mu.Unlock()
	if buffers.output == nil {
		return errNotInSandbox
	}
	n, err := put(buffers.output)
	if err != nil {
		return err
	}
	length, err := pass(operation, n, room)
	switch {
	case err != nil:
		return err
	case length > uintptr(len(buffers.input)):
		return errAnswer
	}
	return get(buffers.input[:length])
}

// pass gets the message in the output buffer to the host, and returns the length
// of the answer in the input buffer. How is said with struct airlock_outbox in
// airlock_abi.h: by way of the outbox if the host may be watching that, else by
// leaving the machine, which the kernel does if it has something for the host as
// well.
func pass(operation uintptr, length int, room *wire.Room) (uintptr, error) {
	out, in := buffers.outbox, buffers.inbox
	if operation != operationNext && operation != operationHost || length == 0 || atomic.LoadUint32(buffers.leave) != 0 {
		return system(operation, uintptr(length))
	}
	if atomic.LoadUint32(&in.Patience) == 0 {
		return leave(operation, length, 0)
	}
	sequence := (out.Sequence>>abi.OperationBits+1)<<abi.OperationBits | uint32(operation) //nolint:gosec // G115: a small number
	cpu.Publish(&out.Sequence, sequence)
	if room != nil {
		room.Prepare()
	}
	if !watch(in, sequence) {
		return leave(operation, length, sequence)
	}
	// Both begin now, and not one after the other when they are needed. The next
	// message may well be as long as this one.
	cpu.Fetch(buffers.input[:fetched])
	cpu.Claim(buffers.output[:min(length, maxClaimed)])
	return uintptr(wire.Length(buffers.input)), nil
}

// leave sends a message by leaving the machine.
func leave(operation uintptr, length int, sequence uint32) (uintptr, error) {
	port := uint16(abi.PortNext)
	if operation == operationHost {
		port = abi.PortHost
	}
	const errnoIO = 5
	*buffers.message = abi.Message{Length: uint64(length), Result: -errnoIO, Sequence: sequence} //nolint:gosec // G115: a length
	out(port)
	if result := buffers.message.Result; result < 0 {
		return 0, syscall.Errno(-result) //nolint:gosec // G115: positive
	}
	return uintptr(buffers.message.Answer), nil
}

// So many bytes of a message are asked for ahead of time; the buffers are longer.
const (
	fetched    = 256
	maxClaimed = 512
)

// watch waits for the answer to a message. It reports false when it has waited
// for as long as it may.
func watch(in *abi.Inbox, sequence uint32) bool {
	const rounds = 32 // a look at the clock takes as long as a few at the inbox
	start := uint64(0)
	for round := 1; ; round++ {
		if atomic.LoadUint32(&in.Sequence) == sequence {
			return true
		}
		cpu.Pause()
		if round%rounds != 0 {
			continue
		}
		now := cpu.Ticks()
		if start == 0 {
			start = now
			// The host stores its patience and then looks at the outbox: one of both sees
			// what the other has stored.
			cpu.Barrier()
		}
		if patience := atomic.LoadUint32(&in.Patience); patience != ^uint32(0) && now-start >= uint64(patience)*abi.PatienceTicks {
			return false
		}
	}
}

// ignore is for answers that say nothing.
func ignore([]byte) error { return nil }

// willNeed asks the guest kernel for pages from the first of these slices to the last
// and as far beyond, where memory is mapped. It is advice: where it has none to give,
// memory gets them when it is touched.
func willNeed(list [][]byte, beyond uintptr) {
	const page = 4096
	low, high := ^uintptr(0), uintptr(0)
	for _, b := range list {
		at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
		low, high = min(low, at), max(high, at+uintptr(len(b)))
	}
	low &^= page - 1
	adviseWillNeed(low, high+beyond-low)
}
