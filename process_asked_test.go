package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/machine"
)

// The tests of this file ask for what a hostile guest kernel may ask for, without the
// guest: what it is told, what the application is told, and what the host takes for it.

// ask begins a run whose hypercalls the test makes.
func ask(t *testing.T, ctx context.Context, p airlock.Process, options airlock.Options) airlock.Asked { //nolint:revive // t comes first in tests
	t.Helper()
	kvmtest.Require(t)
	g, err := airlock.NewGuest("tiny", tinyExit)
	if err != nil {
		t.Fatal(err)
	}
	asked, end, err := airlock.Ask(ctx, sandboxOf(t, g, options), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(end)
	return asked
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

// TestAskedToWrite: descriptor, length and what writers do.
func TestAskedToWrite(t *testing.T) {
	t.Parallel()
	const (
		leftover = 1234 // nothing was answered
		epipe    = 32
	)
	for _, test := range []struct {
		descriptor, length uint32
		closed             bool // writers fail
		out, errs          int  // bytes written
		result             int32
		broken             bool
	}{
		{0, 1, false, 0, 0, leftover, true},
		{1, 5, false, 5, 0, 0, false},
		{2, 6, false, 0, 6, 0, false},
		{3, 1, false, 0, 0, leftover, true},
		{1 << 31, 1, false, 0, 0, leftover, true},
		{^uint32(0), 1, false, 0, 0, leftover, true},
		{1, 0, false, 0, 0, 0, false},
		{1, abi.StdioOutputSize, false, abi.StdioOutputSize, 0, 0, false},
		{2, abi.StdioOutputSize + 1, false, 0, 0, leftover, true},
		{1, ^uint32(0), false, 0, 0, leftover, true},
		{1, 5, true, 0, 0, -epipe, false},
		{2, 5, true, 0, 0, -epipe, false},
	} {
		t.Run(fmt.Sprint(test.descriptor, test.length, test.closed), func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			p := airlock.Process{Stdout: &out, Stderr: &errs}
			if test.closed {
				p.Stdout, p.Stderr = brokenWriter{io.ErrClosedPipe}, brokenWriter{io.ErrClosedPipe}
			}
			asked := ask(t, t.Context(), p, airlock.Options{})
			result, err := asked.Write(abi.Output{Descriptor: test.descriptor, Length: test.length})
			if result != test.result || errors.Is(err, airlock.ErrProtocol) != test.broken || err != nil && !test.broken {
				t.Errorf("%d, %v", result, err)
			}
			if out.Len() != test.out || errs.Len() != test.errs {
				t.Errorf("%d and %d bytes were written", out.Len(), errs.Len())
			}
			if asked.Buffer() > abi.StdioOutputSize {
				t.Errorf("%d bytes of the host's memory were taken", asked.Buffer())
			}
		})
	}
	discards := ask(t, t.Context(), airlock.Process{}, airlock.Options{})
	for descriptor := range uint32(3) {
		result, err := discards.Write(abi.Output{Descriptor: descriptor, Length: 10})
		if ok := descriptor != 0; ok && (result != 0 || err != nil) || !ok && !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("without a writer: descriptor %d: %d, %v", descriptor, result, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	stopped := ask(t, ctx, airlock.Process{Stdout: brokenWriter{io.ErrClosedPipe}}, airlock.Options{})
	cancel()
	if result, err := stopped.Write(abi.Output{Descriptor: 1, Length: 1}); !errors.Is(err, context.Canceled) || result != leftover {
		t.Errorf("a writer that ends with the context: %d, %v", result, err)
	}
}

// TestAskedToRead: what the guest wants is what it gets at most, and no more than its
// buffer has room for is taken for it.
func TestAskedToRead(t *testing.T) {
	t.Parallel()
	const eagain = 11
	asked := ask(t, t.Context(), airlock.Process{Stdin: strings.NewReader(strings.Repeat("x", 70000))}, airlock.Options{})
	total := 0
	for _, want := range []uint32{1, 0, abi.StdioInputSize - 1, abi.StdioInputSize, abi.StdioInputSize + 1, 1 << 31, ^uint32(0), ^uint32(0), 0, 1} {
		result, err := asked.Read(abi.Input{Want: want})
		if err != nil || result < 0 {
			t.Fatalf("want %d: %d, %v", want, result, err)
		}
		if want != 0 {
			total += int(result)
		}
		if result > abi.StdioInputSize && want != 0 || uint32(result) > want && want != 0 || want == 0 && total < 70000 && result == 0 {
			t.Errorf("want %d: got %d", want, result)
		}
		if asked.Buffer() > abi.StdioInputSize {
			t.Fatalf("want %d: %d bytes of the host's memory were taken", want, asked.Buffer())
		}
	}
	if total != 70000 {
		t.Errorf("%d bytes were read", total)
	}
	for _, want := range []uint32{0, 1} {
		if result, err := ask(t, t.Context(), airlock.Process{}, airlock.Options{}).Read(abi.Input{Want: want}); result != 0 || err != nil {
			t.Errorf("without stdin: %d, %v", result, err)
		}
	}
	source, sink := io.Pipe()
	defer sink.Close() //nolint:errcheck // it never fails
	waiting := ask(t, t.Context(), airlock.Process{Stdin: source}, airlock.Options{})
	for _, want := range []uint32{0, 1} {
		if result, err := waiting.Read(abi.Input{Want: want}); result != -eagain || err != nil {
			t.Errorf("stdin that blocks: %d, %v", result, err)
		}
	}
}

// TestAskedToWait: a wait ends with its deadline, with input and with the context.
func TestAskedToWait(t *testing.T) {
	t.Parallel()
	const never = ^uint64(0)
	ctx, cancel := context.WithCancel(t.Context())
	source, sink := io.Pipe()
	asked := ask(t, ctx, airlock.Process{Stdin: source}, airlock.Options{})
	for _, past := range []uint64{0, 1, asked.Now()} {
		if err := asked.Wait(abi.Wait{Deadline: past}); err != nil {
			t.Errorf("until %d: %v", past, err)
		}
	}
	start := time.Now()
	if err := asked.Wait(abi.Wait{Deadline: asked.Now() + uint64(20*time.Millisecond)}); err != nil || time.Since(start) < 15*time.Millisecond {
		t.Errorf("%v after %v", err, time.Since(start))
	}
	for _, deadline := range []uint64{never, never - 1, asked.Now() + uint64(time.Hour)} {
		if result, err := asked.Read(abi.Input{Want: 1}); result >= 0 || err != nil {
			t.Errorf("%d, %v", result, err)
		}
		time.AfterFunc(5*time.Millisecond, func() { _, _ = sink.Write([]byte("x")) })
		if err := asked.Wait(abi.Wait{Deadline: deadline}); err != nil {
			t.Errorf("for input: %v", err)
		}
		if result, err := asked.Read(abi.Input{Want: 1}); result != 1 || err != nil {
			t.Errorf("%d, %v", result, err)
		}
	}
	time.AfterFunc(5*time.Millisecond, cancel)
	if err := asked.Wait(abi.Wait{Deadline: never}); !errors.Is(err, context.Canceled) {
		t.Errorf("for the context: %v", err)
	}
	_ = sink.Close()
}

// TestAskedToFail: what a guest says of its end is checked, quoted and passed on.
func TestAskedToFail(t *testing.T) {
	t.Parallel()
	asked := ask(t, t.Context(), airlock.Process{}, airlock.Options{})
	good := abi.Fault{Kind: uint32(abi.FaultPage), Access: uint32(abi.AccessLast), Signal: 64, Thread: 7, Address: 8, RIP: 9}
	want := airlock.GuestFault{Kind: airlock.FaultPage, Access: airlock.AccessExec, Addr: 8, RIP: 9, Signal: 64, Thread: 7}
	if fault, ok := errors.AsType[*airlock.GuestFault](asked.Fault(good)); !ok || *fault != want {
		t.Errorf("%+v, want %+v", fault, want)
	}
	for name, change := range map[string]func(f *abi.Fault){
		"no kind":           func(f *abi.Fault) { f.Kind = 0 },
		"an unknown kind":   func(f *abi.Fault) { f.Kind = uint32(abi.FaultLast) + 1 },
		"a huge kind":       func(f *abi.Fault) { f.Kind = ^uint32(0) },
		"an unknown access": func(f *abi.Fault) { f.Access = uint32(abi.AccessLast) + 1 },
		"a huge access":     func(f *abi.Fault) { f.Access = ^uint32(0) },
		"signal 65":         func(f *abi.Fault) { f.Signal = 65 },
		"a huge signal":     func(f *abi.Fault) { f.Signal = ^uint32(0) },
	} {
		bad := good
		change(&bad)
		if err := asked.Fault(bad); !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
	text := [abi.PanicText]byte{0: '\n', abi.PanicText - 1: '"'}
	for length, detail := range map[uint32]string{0: `""`, 1: `"\n"`, abi.PanicText: fmt.Sprintf("%q", text[:])} {
		for vector, more := range map[uint32]string{^uint32(0): "", 14: ", exception 14, address 0x8"} {
			err := asked.Panic(abi.Panic{Length: length, Text: text, Vector: vector, Address: 8, RIP: 9})
			want := airlock.GuestFault{Kind: airlock.FaultKernel, Addr: 8, RIP: 9, Detail: detail + more}
			if fault, ok := errors.AsType[*airlock.GuestFault](err); !ok || *fault != want {
				t.Errorf("length %d, vector %d: %+v, want %+v", length, vector, fault, want)
			}
		}
	}
	for _, length := range []uint32{abi.PanicText + 1, ^uint32(0)} {
		if err := asked.Panic(abi.Panic{Length: length}); !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("a panic of %d bytes: %v", length, err)
		}
	}
	for _, port := range []uint16{abi.PortDeclare, abi.PortNext, abi.PortHost, abi.PortLog, abi.PortAbort, abi.PortAbort + 1, 0} {
		if err := asked.Hypercall(port); !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("port %#x in a run: %v", port, err)
		}
	}
}

// TestAskedToTrace: records that nobody asked for, or that don't fit, are none.
func TestAskedToTrace(t *testing.T) {
	t.Parallel()
	most := uint32(abi.StdioTraceSize / len(abi.Bytes(&abi.TraceRecord{})))
	var out bytes.Buffer
	for name, test := range map[string]struct {
		trace io.Writer
		count uint32
		ok    bool
	}{
		"not asked for": {nil, 0, false},
		"none":          {&out, 0, true},
		"all":           {&out, most, true},
		"one too many":  {&out, most + 1, false},
		"wraps":         {&out, ^uint32(0), false},
	} {
		err := ask(t, t.Context(), airlock.Process{}, airlock.Options{Trace: test.trace}).Trace(abi.Trace{Count: test.count})
		if test.ok && err != nil || !test.ok && !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestAskedByExit: ends that the host sees itself.
func TestAskedByExit(t *testing.T) {
	t.Parallel()
	asked := ask(t, t.Context(), airlock.Process{}, airlock.Options{})
	port := machine.Exit{Kind: machine.ExitPort, Port: 0x80, Size: 4, Count: 1, Write: true, RIP: 5}
	broken := machine.Exit{Kind: machine.ExitInternal, Reason: 3, RIP: 5}
	for _, test := range []struct {
		exit machine.Exit
		want airlock.GuestFault
	}{
		{machine.Exit{Kind: machine.ExitShutdown}, airlock.GuestFault{Kind: airlock.FaultTriple}},
		{machine.Exit{Kind: machine.ExitHalt, RIP: 5}, airlock.GuestFault{Kind: airlock.FaultHalt, RIP: 5}},
		{machine.Exit{Kind: machine.ExitPhysical, GPA: 7, RIP: 5}, airlock.GuestFault{Kind: airlock.FaultPhysical, Access: airlock.AccessRead, Addr: 7, RIP: 5}},
		{
			machine.Exit{Kind: machine.ExitPhysical, GPA: 7, Write: true},
			airlock.GuestFault{Kind: airlock.FaultPhysical, Access: airlock.AccessWrite, Addr: 7},
		},
		{port, airlock.GuestFault{Kind: airlock.FaultPort, Addr: 0x80, RIP: 5, Detail: port.String()}},
		{broken, airlock.GuestFault{Kind: airlock.FaultHypervisor, RIP: 5, Detail: broken.String()}},
	} {
		if fault, ok := errors.AsType[*airlock.GuestFault](asked.Exit(test.exit)); !ok || *fault != test.want {
			t.Errorf("%v: %+v, want %+v", test.exit, fault, test.want)
		}
	}
	if err := asked.Exit(machine.Exit{Kind: machine.ExitPaused}); err != nil {
		t.Errorf("a pause: %v", err)
	}
}
