// A guest that lies: it speaks to the host without the SDK. Its argument is in
// the name of the function that the host calls.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

var output, input []byte

func connect() {
	var info abi.Info
	syscall.RawSyscall(abi.Syscall, uintptr(abi.OperationInfo), uintptr(unsafe.Pointer(&info)), 0)
	output = unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&info.Output))), info.OutputSize)
	input = unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&info.Input))), info.InputSize)
}

func send(operation abi.Operation, n int) []byte {
	length, _, errno := syscall.RawSyscall(abi.Syscall, uintptr(operation), uintptr(n), 0)
	if errno != 0 {
		return nil
	}
	return input[:length]
}

func declare(names ...string) int {
	d := wire.Declaration{}
	for _, name := range names {
		d.Exports = append(d.Exports, wire.Function{Name: name, Return: wire.KindString})
	}
	n, err := wire.PutDeclaration(output, &d)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(9)
	}
	return n
}

// lies are what it does in a call; the host must name each.
var lies = map[string]func(){
	"WrongType": func() {
		n, _ := wire.PutResult(output, &wire.Result{Value: wire.Int32(5)})
		send(abi.OperationNext, n)
	},
	"NoResult":   func() { send(abi.OperationNext, 0) },
	"Garbage":    func() { copy(output, strings.Repeat("\xff", 100)); send(abi.OperationNext, 100) },
	"Truncated":  func() { send(abi.OperationNext, result()-1) },
	"HugeLength": func() { result(); send(abi.OperationNext, len(output)) },
	"SizePrefix": func() {
		n := result()
		binary.LittleEndian.PutUint32(output, 0xfffffff0)
		send(abi.OperationNext, n)
	},
	"DeclareTwice": func() { send(abi.OperationDeclare, declare("A")) },
	"GarbageHostCall": func() {
		copy(output, strings.Repeat("\x80", 64))
		send(abi.OperationHost, 64)
	},
	"GarbageLog":   func() { copy(output, strings.Repeat("\x01", 64)); send(abi.OperationLog, 64) },
	"GarbageAbort": func() { copy(output, strings.Repeat("\x01", 64)); send(abi.OperationAbort, 64) },
	"ControlPage": func() {
		// The length that the kernel has checked, changed behind its back.
		control := unsafe.Slice((*byte)(unsafe.Pointer(uintptr(abi.Physmap))), abi.PageSize)
		for i := range abi.PageSize {
			control[i] = 0xff
		}
		send(abi.OperationNext, 16)
	},
}

func result() int {
	n, _ := wire.PutResult(output, &wire.Result{Value: wire.String("fine")})
	return n
}

func main() {
	connect()
	var names []string
	for name := range lies {
		names = append(names, name)
	}
	names = append(names, "Truth")
	send(abi.OperationDeclare, declare(names...))
	n := 0
	for {
		call, err := wire.DecodeCall(append([]byte(nil), send(abi.OperationNext, n)...))
		if err != nil {
			os.Exit(8)
		}
		if lie, ok := lies[call.Name]; ok {
			lie()
		}
		n = result()
	}
}
