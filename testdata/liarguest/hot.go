package main

import (
	"encoding/binary"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// What a guest can do to a host that watches its outbox. These speak through it
// whether the host has asked for that or not.

var (
	outbox *abi.Outbox
	inbox  *abi.Inbox
)

func connectHot() {
	var info abi.Info
	syscall.RawSyscall(abi.Syscall, uintptr(abi.OperationInfo), uintptr(unsafe.Pointer(&info)), 0)
	outbox, inbox = (*abi.Outbox)(at(info.Outbox)), (*abi.Inbox)(at(info.Inbox))
}

// ring announces what is in the output buffer.
func ring(operation abi.Operation) (sequence uint32) {
	sequence = (outbox.Sequence>>abi.OperationBits+1)<<abi.OperationBits | uint32(operation)
	atomic.StoreUint32(&outbox.Sequence, sequence)
	return sequence
}

// await waits for the answer to a message for ever.
func await(sequence uint32) {
	for atomic.LoadUint32(&inbox.Sequence) != sequence { //nolint:revive // it is a spin
	}
}

// spin lets time go by without leaving the machine.
func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; { //nolint:revive // it is a spin
	}
}

var hotLies = map[string]func(){
	"HotGarbage": func() {
		copy(output, "garbage that is no message, but long enough to be taken for one")
		binary.LittleEndian.PutUint32(output, 60)
		await(ring(abi.OperationNext))
	},
	"HotLength": func() {
		result(wire.String("fine"))
		binary.LittleEndian.PutUint32(output, ^uint32(0))
		await(ring(abi.OperationNext))
	},
	"HotShort": func() {
		result(wire.String("fine"))
		binary.LittleEndian.PutUint32(output, 0)
		await(ring(abi.OperationNext))
	},
	"HotWrongType": func() {
		result(wire.Int32(1))
		await(ring(abi.OperationNext))
	},
	// Sequences that announce nothing: the host sees the result that follows.
	"HotNothing": func() {
		for operation := range abi.Operation(1 << abi.OperationBits) {
			if operation != abi.OperationNext && operation != abi.OperationHost {
				ring(operation)
			}
		}
	},
	// A result, and then never a look at what the host wants.
	"HotNever": func() {
		result(wire.String("fine"))
		ring(abi.OperationNext)
		for { //nolint:revive // it is a spin
		}
	},
	// A result, and then another one that nobody has asked for.
	"HotTwice": func() {
		result(wire.String("fine"))
		ring(abi.OperationNext)
		spin(time.Millisecond)
		result(wire.String("of another call"))
		await(ring(abi.OperationNext))
	},
	// A result, and a call of the host although no call is in progress.
	"HotOutside": func() {
		result(wire.String("fine"))
		ring(abi.OperationNext)
		spin(time.Millisecond)
		if n, err := wire.PutCall(output, &wire.Call{Name: "Double", Args: []wire.Value{wire.Int32(1)}}); err != nil || n == 0 {
			return
		}
		await(ring(abi.OperationHost))
	},
	// Results that change while the host reads them, for this call and all others.
	"HotRace": func() {
		for {
			n := result(wire.String("fine"))
			sequence := ring(abi.OperationNext)
			for i := 0; atomic.LoadUint32(&inbox.Sequence) != sequence; i++ {
				output[i%96] ^= byte(1 << (i % 8))
				if i%1000 != 999 {
					continue
				}
				if result(wire.String("fine")); atomic.LoadUint32(&inbox.Patience) == 0 {
					syscall.RawSyscall(abi.Syscall, uintptr(abi.OperationNext), uintptr(n), uintptr(sequence))
					break
				}
			}
		}
	},
	// It leaves with the message that it has announced, and with others.
	"HotLeaves": func() {
		n := result(wire.String("fine"))
		sequence := ring(abi.OperationNext)
		for i := range uint32(100) {
			syscall.RawSyscall(abi.Syscall, uintptr(abi.OperationNext), uintptr(n), uintptr(sequence+i%3))
		}
	},
}
