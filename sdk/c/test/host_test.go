package test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// host is the host of a guest that runs natively, under sanitizers, with
// testdata/kernel.c as its kernel.
type host struct {
	t          *testing.T
	cmd        *exec.Cmd
	in         *os.File // to the guest
	out        *os.File // from it
	stderr     bytes.Buffer
	waited     bool
	generation uint64

	declaration wire.Declaration
	logs        []wire.LogRecord
	// answer answers a call of a host function: a result, or the length of a
	// message, and the message. It is an echo if nil.
	answer func(message []byte) (int64, []byte)
}

// startHost starts a program. info is for testdata/kernel.c and may be empty.
func startHost(t *testing.T, program, info string, args ...string) *host {
	t.Helper()
	h := &host{t: t, cmd: exec.Command(program, args...), generation: 1}
	toGuest, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromGuest, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	h.in, h.out = in, out
	h.cmd.ExtraFiles = []*os.File{toGuest, fromGuest} // descriptors 3 and 4
	h.cmd.Stderr = &h.stderr
	h.cmd.Env = os.Environ()
	if info != "" {
		h.cmd.Env = append(h.cmd.Env, "AIRLOCK_TEST_INFO="+info)
	}
	if err := h.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = toGuest.Close(), fromGuest.Close()
	t.Cleanup(func() {
		_ = in.Close() // the guest exits with 77
		h.wait()
		_ = out.Close()
		if strings.Contains(h.stderr.String(), "anitizer") || strings.Contains(h.stderr.String(), "runtime error") {
			t.Errorf("%s", &h.stderr)
		}
	})
	return h
}

// serveGuest starts a program and waits until it serves.
func serveGuest(t *testing.T, program, info string) *host {
	t.Helper()
	h := startHost(t, program, info)
	if end := h.wanted(); end != "" {
		t.Fatalf("the guest ended: %s\n%s", end, &h.stderr)
	}
	return h
}

// wait returns how the program ended.
func (h *host) wait() string {
	if !h.waited {
		h.waited = true
		_ = h.cmd.Wait()
	}
	return fmt.Sprintf("exit %d: %s", h.cmd.ProcessState.ExitCode(), strings.TrimSpace(h.stderr.String()))
}

// receive returns the next message, or how the program ended.
func (h *host) receive() (operation uint32, message []byte, end string) {
	var header [8]byte
	if _, err := io.ReadFull(h.out, header[:]); err != nil {
		return 0, nil, h.wait()
	}
	message = make([]byte, binary.LittleEndian.Uint32(header[4:]))
	if _, err := io.ReadFull(h.out, message); err != nil {
		h.t.Fatal(err)
	}
	return binary.LittleEndian.Uint32(header[:]), message, ""
}

func (h *host) send(result int64, message []byte) {
	h.t.Helper()
	frame := binary.LittleEndian.AppendUint64(nil, uint64(result))
	frame = binary.LittleEndian.AppendUint64(frame, h.generation)
	frame = binary.LittleEndian.AppendUint64(frame, uint64(len(message)))
	if _, err := h.in.Write(append(frame, message...)); err != nil {
		h.t.Fatalf("the guest is gone: %v\n%s", err, &h.stderr)
	}
}

// wanted serves the guest until it wants a call, or returns how it ended: with
// an abort or an exit.
func (h *host) wanted() string {
	h.t.Helper()
	_, end := h.result()
	return end
}

// result serves the guest until it has answered and wants a call.
func (h *host) result() (message []byte, end string) {
	h.t.Helper()
	for {
		operation, message, end := h.receive()
		if end != "" {
			return nil, end
		}
		switch abi.Operation(operation) {
		case abi.OperationDeclare:
			d, err := wire.DecodeDeclaration(message)
			if err != nil {
				h.t.Fatalf("declaration: %v\n%x", err, message)
			}
			h.declaration = d
			list, err := wire.AppendHostFunctions(nil, &wire.HostFunctions{Functions: d.Imports})
			if err != nil {
				h.t.Fatal(err)
			}
			h.send(int64(len(list)), list[:min(len(list), 4096)])
		case abi.OperationNext:
			return message, ""
		case abi.OperationHost:
			answer := h.answer
			if answer == nil {
				answer = h.echo
			}
			h.send(answer(message))
		case abi.OperationLog:
			r, err := wire.DecodeLogRecord(message)
			if err != nil {
				h.t.Fatalf("log record: %v\n%x", err, message)
			}
			h.logs = append(h.logs, r)
			h.send(0, nil)
		case abi.OperationAbort:
			e, err := wire.DecodeError(message)
			if err != nil {
				h.t.Fatalf("abort: %v\n%x", err, message)
			}
			_ = h.in.Close()
			h.wait()
			return nil, fmt.Sprintf("abort %s: %s", e.Code, e.Message)
		case abi.OperationInvalid, abi.OperationInfo: // the kernel's own
			h.t.Fatalf("operation %d", operation)
		default:
			h.t.Fatalf("unknown operation %d", operation)
		}
	}
}

// echo is a host function that returns its only argument.
func (h *host) echo(message []byte) (int64, []byte) {
	h.t.Helper()
	call, err := wire.DecodeCall(message)
	if err != nil {
		h.t.Fatalf("call of the host: %v\n%x", err, message)
	}
	value := wire.Void()
	if len(call.Args) == 1 {
		value = call.Args[0]
	}
	answer, err := wire.AppendResult(nil, &wire.Result{Value: value})
	if err != nil {
		h.t.Fatal(err)
	}
	return int64(len(answer)), answer
}

// callMessage sends the message of a call and returns the result, or how the
// guest ended.
func (h *host) callMessage(message []byte) (wire.Result, string) {
	h.t.Helper()
	h.send(int64(len(message)), message)
	answer, end := h.result()
	if end != "" {
		return wire.Result{}, end
	}
	result, err := wire.DecodeResult(answer)
	if err != nil {
		h.t.Fatalf("the answer to\n%x\nis\n%x\n%v", message, answer, err)
	}
	return result, ""
}

// call calls a function and returns its value, error or end as text.
func (h *host) call(name string, args ...any) string {
	h.t.Helper()
	call := wire.Call{Name: name}
	for _, arg := range args {
		value, ok := wire.ValueOf(arg)
		if !ok {
			h.t.Fatalf("%s: an argument is a %T", name, arg)
		}
		call.Args = append(call.Args, value)
	}
	message, err := wire.AppendCall(nil, &call)
	if err != nil {
		h.t.Fatal(err)
	}
	result, end := h.callMessage(message)
	switch {
	case end != "":
		return end
	case result.Err != nil:
		return "error " + result.Err.Code.String() + ": " + result.Err.Message
	}
	return fmt.Sprint(result.Value.Any())
}

// want calls a function and compares.
func (h *host) want(want, name string, args ...any) {
	h.t.Helper()
	if got := h.call(name, args...); got != want {
		h.t.Errorf("%s%.60q = %.200q; want %.200q", name, args, got, want)
	}
}

// native builds a guest of testdata for this machine, with the tests' kernel.
func native(t *testing.T, compiler, source string, options ...string) string {
	t.Helper()
	if len(options) == 0 {
		options = sanitizers
	}
	return compile(t, compiler, "-std=gnu11", "-Wall", "-Wextra", "-Werror", options, "-pthread", "-DAIRLOCK_TEST_KERNEL",
		"-I../..", source, "kernel.c", sdk)
}
