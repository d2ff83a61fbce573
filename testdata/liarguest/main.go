// A guest that lies: it speaks to the host without an SDK. What it does when it
// starts is in its argument 0, which is the name that the host has loaded it
// under; what it does in a call is in the name of the function.
package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

var output, input []byte

func connect() {
	var info abi.Info
	syscall.RawSyscall(abi.Syscall, uintptr(abi.OperationInfo), uintptr(unsafe.Pointer(&info)), 0)
	output = unsafe.Slice((*byte)(at(info.Output)), info.OutputSize)
	input = unsafe.Slice((*byte)(at(info.Input)), info.InputSize)
}

func at(address uint64) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

// send sends the first n bytes of the output buffer, as an SDK does.
func send(operation abi.Operation, n int) ([]byte, syscall.Errno) {
	length, _, errno := syscall.RawSyscall(abi.Syscall, uintptr(operation), uintptr(n), 0)
	if errno != 0 {
		return nil, errno
	}
	return slices.Clone(input[:length]), 0
}

// out is in out_amd64.s.
func out(port uint16)

// sendRaw makes the hypercall behind the kernel's back, which would not pass on
// such a length.
func sendRaw(port uint16, length uint64) {
	message := (*abi.Message)(at(abi.Physmap + abi.ControlOffsetMessage))
	*message = abi.Message{Length: length}
	out(port)
}

// hostCall calls a function of the host as an SDK does and returns its result
// as text.
func hostCall(name string, args ...wire.Value) string {
	n, err := wire.PutCall(output, &wire.Call{Name: name, Args: args})
	if err != nil {
		return err.Error()
	}
	answer, errno := send(abi.OperationHost, n)
	if errno != 0 {
		return errno.Error()
	}
	result, err := wire.DecodeResult(answer)
	switch {
	case err != nil:
		return err.Error()
	case result.Err != nil:
		return result.Err.Code.String() + ": " + result.Err.Message
	}
	return fmt.Sprint(result.Value.Any())
}

// declareAll is an honest declaration of everything.
func declareAll() {
	var names []string
	for name := range lies {
		names = append(names, name)
	}
	for name := range truths {
		names = append(names, name)
	}
	for name := range hotLies {
		names = append(names, name)
	}
	slices.Sort(names)
	d := wire.Declaration{SDKName: "none"}
	for _, name := range names {
		d.Exports = append(d.Exports, wire.Function{Name: name, Return: wire.KindString})
	}
	n, err := wire.PutDeclaration(output, &d)
	if err != nil {
		os.Exit(9)
	}
	send(abi.OperationDeclare, n)
}

func main() {
	connect()
	connectHot()
	if lie, ok := startLies[os.Args[0]]; ok {
		lie()
	}
	declareAll()
	for n := 0; ; {
		message, _ := send(abi.OperationNext, n)
		call, err := wire.DecodeCall(message)
		if err != nil {
			os.Exit(8)
		}
		text := "fine"
		if truth, ok := truths[call.Name]; ok {
			text = truth()
		}
		if lie, ok := hotLies[call.Name]; ok {
			lie()
		}
		if lie, ok := lies[call.Name]; ok {
			lie()
			text = "the host has not noticed"
		}
		n = result(wire.String(text))
	}
}

// result puts a result into the output buffer and returns its length.
func result(v wire.Value) int {
	n, err := wire.PutResult(output, &wire.Result{Value: v})
	if err != nil {
		os.Exit(7)
	}
	return n
}
