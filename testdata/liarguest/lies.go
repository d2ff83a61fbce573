package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"syscall"
	"unsafe"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// The lies of the start: how the guest declares itself.
var startLies = map[string]func(){
	"DeclareNothing":  func() { send(abi.OperationDeclare, 0) },
	"DeclareGarbage":  func() { send(abi.OperationDeclare, fill(0xff, 100)) },
	"DeclareCall":     func() { send(abi.OperationDeclare, putCall("Double")) },
	"DuplicateExport": func() { declare([]function{{name: "A", returns: typeVoid}, {name: "A", returns: typeVoid}}, nil) },
	"DuplicateImport": func() { declare(nil, []function{{name: "A", returns: typeVoid}, {name: "A", returns: typeVoid}}) },
	"EmptyName":       func() { declare([]function{{name: "", returns: typeVoid}}, nil) },
	"NoName":          func() { declare([]function{{nameless: true, returns: typeVoid}}, nil) },
	"LongName":        func() { declare([]function{{name: strings.Repeat("n", 256), returns: typeVoid}}, nil) },
	"NULName":         func() { declare([]function{{name: "A\x00B", returns: typeVoid}}, nil) },
	"BadName":         func() { declare([]function{{name: "\xff", returns: typeVoid}}, nil) },
	"TenThousand":     func() { declare(many(10000), nil) },
	"OneTooMany":      func() { declare(nil, many(1025)) },
	"ManyParams": func() {
		declare([]function{{name: "A", params: bytes.Repeat([]byte{typeInt32}, 33), returns: typeVoid}}, nil)
	},
	"VoidParam":    func() { declare([]function{{name: "A", params: []byte{typeVoid}, returns: typeVoid}}, nil) },
	"UnknownParam": func() { declare([]function{{name: "A", params: []byte{99}, returns: typeVoid}}, nil) },
	"NoReturn":     func() { declare([]function{{name: "A"}}, nil) },
	"ErrorReturn":  func() { declare([]function{{name: "A", returns: typeError}}, nil) },
	"LongSDK":      func() { send(abi.OperationDeclare, putDeclaration(nil, nil, strings.Repeat("s", 256))) },
	"NextFirst":    func() { send(abi.OperationNext, 0) },
	"ResultFirst":  func() { declareAll(); send(abi.OperationNext, result(wire.String("of no call"))) },
	"AbortFirst":   func() { send(abi.OperationAbort, put("ALER", failure(9, "before it began"))) },
	"ExitFirst":    func() { os.Exit(3) },
	"FaultFirst":   func() { out(0x3f8) },
	"LengthFirst":  func() { sendRaw(abi.PortDeclare, 1<<63) },
	// These are no lies to die of: the host says no, or listens.
	"HostFirst": func() {
		before := hostCall("Double", wire.Int32(21))
		declareAll()
		outside = before + ", " + hostCall("Double", wire.Int32(21))
		serveDeclared()
	},
	"LogFirst": func() { send(abi.OperationLog, putLog(3, "before it declares", 0)) },
}

// outside is what a host function said that was called outside of a call.
var outside string

// serveDeclared serves one call, the question what outside is, without declaring
// again.
func serveDeclared() {
	send(abi.OperationNext, 0)
	for {
		send(abi.OperationNext, result(wire.String(outside)))
	}
}

// many makes functions with different names.
func many(n int) []function {
	list := make([]function, n)
	for i := range list {
		list[i] = function{name: fmt.Sprint("F", i), returns: typeVoid}
	}
	return list
}

func declare(exports, imports []function) {
	send(abi.OperationDeclare, putDeclaration(exports, imports, "liar"))
}

func fill(b byte, n int) int { return copy(output, bytes.Repeat([]byte{b}, n)) }

// lies are what the guest does in a call. The host must name each.
var lies = map[string]func(){
	// Results.
	"WrongType":     func() { send(abi.OperationNext, result(wire.Int32(5))) },
	"VoidResult":    func() { send(abi.OperationNext, result(wire.Void())) },
	"NoResult":      func() { send(abi.OperationNext, 0) },
	"Garbage":       func() { send(abi.OperationNext, fill(0xff, 100)) },
	"Truncated":     func() { send(abi.OperationNext, result(wire.String("fine"))-1) },
	"OtherMessage":  func() { send(abi.OperationNext, putCall("Double")) },
	"WholeBuffer":   func() { result(wire.String("fine")); send(abi.OperationNext, len(output)) },
	"SizePrefix":    func() { send(abi.OperationNext, patched(result(wire.String("fine")), 0, 0xfffffff0)) },
	"RootOffset":    func() { send(abi.OperationNext, patched(result(wire.String("fine")), 4, 0xfffffffc)) },
	"BackPointer":   func() { send(abi.OperationNext, backPointer(1<<30)) },
	"BackForward":   func() { send(abi.OperationNext, backPointer(1<<31)) },
	"BackItself":    func() { send(abi.OperationNext, backPointer(0)) },
	"ResultType":    func() { send(abi.OperationNext, putResult(12, text("x"))) },
	"ResultUTF8":    func() { send(abi.OperationNext, putResult(typeString, text("\xff"))) },
	"NoError":       func() { send(abi.OperationNext, putResult(typeError, failure(0, "no code"))) },
	"UnknownError":  func() { send(abi.OperationNext, putResult(typeError, failure(10, "beyond the last"))) },
	"LongError":     func() { send(abi.OperationNext, putResult(typeError, failure(1, strings.Repeat("e", 4097)))) },
	"DeclareTwice":  func() { declare(many(1), nil) },
	"GarbageLog":    func() { send(abi.OperationLog, fill(1, 64)) },
	"LogLevel":      func() { send(abi.OperationLog, putLog(6, "beyond the last", 0)) },
	"LogNoLevel":    func() { send(abi.OperationLog, putLog(0, "none", 0)) },
	"LogLong":       func() { send(abi.OperationLog, putLog(3, strings.Repeat("l", 8193), 0)) },
	"LogUTF8":       func() { send(abi.OperationLog, putLog(3, "\xff", 0)) },
	"LogAttributes": func() { send(abi.OperationLog, putLog(3, "too many", 33)) },
	"GarbageAbort":  func() { send(abi.OperationAbort, fill(1, 64)) },
	"EmptyAbort":    func() { send(abi.OperationAbort, 0) },
	"AbortNoCode":   func() { send(abi.OperationAbort, put("ALER", failure(0, "no code"))) },
	"AbortLong":     func() { send(abi.OperationAbort, put("ALER", failure(9, strings.Repeat("a", 4097)))) },
	"AbortUTF8":     func() { send(abi.OperationAbort, put("ALER", failure(9, "\xff"))) },
	// Host calls.
	"GarbageHostCall": func() { send(abi.OperationHost, fill(0x80, 64)) },
	"EmptyHostCall":   func() { send(abi.OperationHost, 0) },
	"HostParams":      func() { send(abi.OperationHost, putCall("EchoInt32", numbers(33)...)) },
	"HostType":        func() { send(abi.OperationHost, putCall("EchoInt32", parameter{99, number(1)})) },
	"HostVoid":        func() { send(abi.OperationHost, putCall("EchoInt32", parameter{typeVoid, number(1)})) },
	"HostTypeOnly":    func() { send(abi.OperationHost, putCall("EchoInt32", parameter{typeInt32, nothing})) },
	"HostValueOnly":   func() { send(abi.OperationHost, putCall("EchoInt32", parameter{0, number(1)})) },
	"HostOtherValue":  func() { send(abi.OperationHost, putCall("EchoString", parameter{typeString, number(1 << 30)})) },
	"HostNoName":      func() { send(abi.OperationHost, putCall("")) },
	"HostLongName":    func() { send(abi.OperationHost, putCall(strings.Repeat("n", 256))) },
	"HostLength":      func() { send(abi.OperationHost, lengthened()) },
	"HostNegative":    func() { send(abi.OperationHost, patchedText(0x80000000)) },
	"HostBarely":      func() { send(abi.OperationHost, patchedText(uint32(len(marker)+2))) },
	"HostDeep":        func() { send(abi.OperationHost, putChain(4000)) },
	"HostShared":      func() { send(abi.OperationHost, putShared()) },
	// Lengths that the kernel would not let through.
	"LengthMax":    func() { sendRaw(abi.PortNext, ^uint64(0)) },
	"LengthWraps":  func() { sendRaw(abi.PortHost, ^uint64(0)-4095) },
	"LengthSigned": func() { sendRaw(abi.PortLog, 1<<63) },
	"LengthInt32":  func() { sendRaw(abi.PortAbort, 1<<32) },
	"LengthOver":   func() { sendRaw(abi.PortHost, uint64(len(output))+1) },
	"LengthAgain":  func() { sendRaw(abi.PortDeclare, ^uint64(0)) },
	// What the kernel has checked, changed behind its back.
	"ControlPage": func() {
		control := unsafe.Slice((*byte)(at(abi.Physmap)), abi.PageSize)
		for i := range control {
			control[i] = 0xff
		}
		send(abi.OperationNext, 16)
	},
	"Input":      func() { input[0] = 0 },
	"RaceAny":    func() { race(true, ^uint64(0)) },
	"RaceLength": raceLength,
}

// truths are what an honest guest may do, too.
var truths = map[string]func() string{
	"Truth":          func() string { return "fine" },
	"HostUnknown":    func() string { return hostCall("NoSuchFunction") },
	"HostWrongType":  func() string { return hostCall("Double", wire.String("21")) },
	"HostWrongWidth": func() string { return hostCall("Double", wire.Int64(21)) },
	"HostTooFew":     func() string { return hostCall("Double") },
	"HostTooMany":    func() string { return hostCall("Double", wire.Int32(21), wire.Int32(21)) },
	"HostRight":      func() string { return hostCall("Double", wire.Int32(21)) },
	"TooLong": func() string {
		_, errno := send(abi.OperationHost, len(output)+1)
		return errno.Error()
	},
	"NoOperation": func() string {
		_, errno := send(99, 0)
		return errno.Error()
	},
	"Answer": func() string { // what the host has read is the guest's, to spoil
		message := (*abi.Message)(at(abi.Physmap + abi.ControlOffsetMessage))
		*message = abi.Message{Length: 1 << 40, Answer: ^uint64(0), Result: -1}
		fill(0xff, len(output))
		return "fine"
	},
	"RaceText": func() string { return fmt.Sprint(race(false, 3000)) },
	"Exit":     func() string { syscall.Exit(5); return "" },
}

func nothing(*flatbuffers.Builder) offset { return 0 }

func numbers(n int) []parameter {
	list := make([]parameter, n)
	for i := range list {
		list[i] = parameter{typeInt32, number(1)}
	}
	return list
}

// patched changes a word of the message.
func patched(n, position int, value uint32) int {
	binary.LittleEndian.PutUint32(output[position:], value)
	return n
}

// backPointer is a result whose root table has its list of fields so many bytes
// before it.
func backPointer(distance uint32) int {
	n := result(wire.String("fine"))
	root := 4 + binary.LittleEndian.Uint32(output[4:])
	return patched(n, int(root), distance)
}

const marker = "the text that is the parameter"

// patchedText is a call whose parameter says that it has another length.
func patchedText(length uint32) int {
	n := putCall("EchoString", parameter{typeString, text(marker)})
	return patched(n, bytes.Index(output[:n], []byte(marker))-4, length)
}

// lengthened is a call whose every word that is the text's length is near 1<<32.
func lengthened() int { return patchedText(0xfffffffc) }
