package test

import (
	"context"
	le "encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// The guest call_walk puts values into fields that guest and host share. The
// tests of this file walk over all fields that there are, all hypercalls and the
// values at which lengths, indices and signs turn.

// field is a number in memory that the guest shares with the host.
type field struct {
	page   string // as the guest takes it
	name   string // such as "Message.Length"
	offset uintptr
	size   uintptr
}

// fieldsOf lists the numbers in a struct; of an array the first and the last.
func fieldsOf(page, name string, t reflect.Type, offset uintptr) []field {
	switch t.Kind() { //nolint:exhaustive // the contract has no others
	case reflect.Struct:
		var list []field
		for f := range t.Fields() {
			list = append(list, fieldsOf(page, name+"."+f.Name, f.Type, offset+f.Offset)...)
		}
		return list
	case reflect.Array:
		last := t.Len() - 1
		list := fieldsOf(page, name+"[0]", t.Elem(), offset)
		return append(list, fieldsOf(page, fmt.Sprintf("%s[%d]", name, last), t.Elem(), offset+uintptr(last)*t.Elem().Size())...)
	default:
		return []field{{page, name[1:], offset, t.Size()}}
	}
}

// boundaries are the values at which something may turn: sizes of pages, of
// buffers and of memory, and signs.
func boundaries(f field) []uint64 {
	list := []uint64{0, 1, 2, 3, 0x7f, 0xff, 0x5a5a5a5a5a5a5a5a}
	for _, at := range []uint64{
		abi.PageSize, abi.StdioOutputSize, abi.StdioTraceSize, 1 << 16 /* Options.MessageSize */, abi.PanicText,
		abi.StdioTraceSize / uint64(reflect.TypeFor[abi.TraceRecord]().Size()), uint64(abi.FaultLast), uint64(abi.AccessLast), 64,
		abi.TraceText, 32 << 20, 1 << 31, 1 << 32, 1 << 47, 1 << 63,
	} {
		list = append(list, at-1, at, at+1)
	}
	for _, below := range []uint64{1, 2, 11, 4095, 4096} {
		list = append(list, -below)
	}
	for i := range list {
		list[i] &= ^uint64(0) >> (64 - 8*f.size)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// step is one value in one field, and the hypercall that comes then.
type step struct {
	field   field
	value   uint64
	port    uint16 // 0 for what the guest kernel does by itself
	message []byte
	patient bool // what comes is certain, and takes no time but that of a busy machine
}

func (s step) argument() string {
	return fmt.Sprintf("%s %d %d %#x %#x %s", s.field.page, s.field.offset, s.field.size, s.value, s.port, hex.EncodeToString(s.message))
}

var walkPorts = []uint16{
	0, abi.PortExit, abi.PortFault, abi.PortPanic, abi.PortOutput, abi.PortInput, abi.PortWait, abi.PortTrace,
	abi.PortDeclare, abi.PortNext, abi.PortHost, abi.PortLog, abi.PortAbort,
}

// honestMessages is for each port a message that is right.
func honestMessages(tb testing.TB) map[uint16][]byte {
	tb.Helper()
	messages := map[uint16][]byte{}
	add := func(port uint16) func([]byte, error) {
		return func(message []byte, err error) {
			if err != nil {
				tb.Fatal(err)
			}
			messages[port] = message
		}
	}
	add(abi.PortDeclare)(wire.AppendDeclaration(nil, &wire.Declaration{SDKName: "walk"}))
	add(abi.PortNext)(wire.AppendResult(nil, &wire.Result{Value: wire.String("an answer")}))
	add(abi.PortHost)(wire.AppendCall(nil, &wire.Call{Name: "Echo", Args: []wire.Value{wire.String("hello")}}))
	add(abi.PortLog)(wire.AppendLogRecord(nil, &wire.LogRecord{
		Level: wire.LevelInfo, Message: "record", Source: "walk", File: "walk.c", Line: 7,
		Attrs: []wire.Attr{{Key: "key", Value: "value"}},
	}))
	add(abi.PortAbort)(wire.AppendError(nil, &wire.ErrorInfo{Code: wire.CodeAborted, Message: "abort"}))
	return messages
}

// readers are the ports whose hypercalls read a part of the control page; the
// fields that are not in it are combined with all ports, at all values. So is
// every field with port 0, for the guest kernel.
var readers = map[string][]uint16{
	"Boot": {}, "Exit": {abi.PortExit}, "Fault": {abi.PortFault}, "Panic": {abi.PortPanic}, "Output": {abi.PortOutput},
	"Input": {abi.PortInput}, "Wait": {abi.PortWait}, "Trace": {abi.PortTrace},
	"Message": {abi.PortDeclare, abi.PortNext, abi.PortHost, abi.PortLog, abi.PortAbort},
}

// stepsOf combines a field with all values and the ports that read it, and with
// every eighth value and the ports that should not care.
func stepsOf(f field, messages map[uint16][]byte) []step {
	part, _, _ := strings.Cut(f.name, ".")
	ports, known := readers[part]
	var steps []step
	for i, value := range boundaries(f) {
		for j, port := range walkPorts {
			if !known || port == 0 || slices.Contains(ports, port) || (i+j)%8 == 0 {
				steps = append(steps, step{field: f, value: value, port: port, message: sized(f, value, messages[port])})
			}
		}
	}
	return steps
}

// sized is a message that says of itself that it has the length that the field
// says: nothing but the host's bound on it is wrong then.
func sized(f field, value uint64, message []byte) []byte {
	const prefix = 4
	if f.name != "Message.Length" || len(message) == 0 || value < uint64(len(message)) || value > 1<<31 {
		return message
	}
	message = slices.Clone(message)
	le.LittleEndian.PutUint32(message, uint32(value-prefix))
	return message
}

// refusals are the values that the host must refuse, by the field that the port
// is about: for these ErrProtocol is the only right end.
var refusals = map[string]struct {
	ports  []uint16
	refuse func(value uint64) bool
}{
	"Output.Descriptor": {[]uint16{abi.PortOutput}, func(v uint64) bool { return v != 1 && v != 2 }},
	"Output.Length":     {[]uint16{abi.PortOutput}, func(v uint64) bool { return v > abi.StdioOutputSize }},
	"Panic.Length":      {[]uint16{abi.PortPanic}, func(v uint64) bool { return v > abi.PanicText }},
	"Fault.Kind":        {[]uint16{abi.PortFault}, func(v uint64) bool { return v == 0 || v > abi.FaultLast }},
	"Fault.Access":      {[]uint16{abi.PortFault}, func(v uint64) bool { return v > abi.AccessLast }},
	"Fault.Signal":      {[]uint16{abi.PortFault}, func(v uint64) bool { return v > 64 }},
	"Message.Length": {
		[]uint16{abi.PortDeclare, abi.PortNext, abi.PortHost, abi.PortLog, abi.PortAbort},
		func(v uint64) bool { return v > 1<<16 },
	},
}

// mustRefuse reports whether ErrProtocol is the only right end of a step.
func (s step) mustRefuse() bool {
	r, ok := refusals[s.field.name]
	return s.port == abi.PortTrace || ok && slices.Contains(r.ports, s.port) && r.refuse(s.value)
}

const (
	// stepDeadline is how long a step gets: some wait, some end the guest kernel in
	// a loop.
	stepDeadline = 15 * time.Millisecond
	// honestSteps is after how many steps a sandbox is asked for something honest.
	honestSteps = 20
)

// walker takes steps in one sandbox.
type walker struct {
	victim
	snapshot *airlock.Snapshot
	steps    int
}

// take takes one step and restores the sandbox.
func (w *walker) take(t *testing.T, group string, s step) (string, error) {
	t.Helper()
	deadline := stepDeadline
	if s.patient || s.mustRefuse() {
		deadline = hang
	}
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	start := time.Now()
	result, err := airlock.Call[string](ctx, w.sandbox, "Attack", s.argument())
	if took := time.Since(start); took > deadline+hang {
		t.Errorf("%s = %#x, port %#x: it took %v", s.field.name, s.value, s.port, took)
	}
	if bad := documentedCall(err); bad != nil {
		t.Errorf("%s = %#x, port %#x: %v", s.field.name, s.value, s.port, bad)
	}
	attacks.add(group, 1, endOf(err))
	if rerr := w.sandbox.Restore(t.Context(), w.snapshot); rerr != nil {
		t.Errorf("%s = %#x, port %#x: Restore after %v: %v", s.field.name, s.value, s.port, err, rerr)
	}
	if w.steps++; w.steps%honestSteps == 0 {
		if got, err := w.honest(t.Context()); err != nil || got != 43 {
			t.Errorf("%s = %#x, port %#x: afterwards Honest = %d, %v", s.field.name, s.value, s.port, got, err)
		}
		if err := w.sandbox.Restore(t.Context(), w.snapshot); err != nil {
			t.Error(err)
		}
	}
	return result, err
}

// walkSnapshot is the guest call_walk before its first call.
func walkSnapshot(tb testing.TB, options airlock.Options) (*airlock.Snapshot, error) {
	tb.Helper()
	w := walker{victim: victim{out: newOutput()}}
	sb, err := airlock.New(tb.Context(), guest(tb, "hostile-call_walk"), w.complete(options))
	if err != nil {
		return nil, err
	}
	defer sb.Close() //nolint:errcheck // checked elsewhere
	return sb.Snapshot(tb.Context())
}

// complete adds what the guest needs to options.
func (w *walker) complete(options airlock.Options) airlock.Options {
	o := w.options(header{memory: 32 << 20})
	o.Trace, o.Spin = options.Trace, options.Spin
	return o
}

func newWalker(ctx context.Context, snap *airlock.Snapshot, options airlock.Options) (*walker, error) {
	w := &walker{victim: victim{out: newOutput()}, snapshot: snap}
	sb, err := snap.New(ctx, w.complete(options))
	if err != nil {
		return nil, err
	}
	w.use(sb)
	return w, nil
}

// walk takes all steps, on all processors, and lets check look at their ends.
func walk(t *testing.T, group string, options airlock.Options, steps []step, check func(s step, result string, err error)) {
	t.Helper()
	snap, err := walkSnapshot(t, options)
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		steps = every(steps, 20)
	}
	workers := runtime.GOMAXPROCS(0)
	if options.Spin != 0 {
		workers = max(1, workers/2) // each takes two
	}
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			w, err := newWalker(t.Context(), snap, options)
			if err != nil {
				t.Error(err)
				return
			}
			defer w.close(t)
			for i := next.Add(1) - 1; i < int64(len(steps)) && !t.Failed(); i = next.Add(1) - 1 {
				result, err := w.take(t, group, steps[i])
				check(steps[i], result, err)
			}
		})
	}
	wait.Wait()
	if err := snap.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d steps", len(steps))
}

// every returns each n-th of a list.
func every[T any](list []T, n int) []T {
	var some []T
	for i := 0; i < len(list); i += n {
		some = append(some, list[i])
	}
	return some
}

// TestWalkControl walks over the control page, the clock page and the outbox.
func TestWalkControl(t *testing.T) {
	fields := fieldsOf("control", "", reflect.TypeFor[abi.Control](), 0)
	fields = append(fields, fieldsOf("clock", "", reflect.TypeFor[abi.Clock](), 0)...)
	fields = append(fields, fieldsOf("outbox", "", reflect.TypeFor[abi.Outbox](), 0)...)
	messages := honestMessages(t)
	var steps []step
	for _, f := range fields {
		steps = append(steps, stepsOf(f, messages)...)
	}
	walk(t, "walk: fields", airlock.Options{}, steps, func(s step, _ string, err error) {
		if s.mustRefuse() && !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("%s = %#x, port %#x: %v, want ErrProtocol", s.field.name, s.value, s.port, err)
		}
	})
}

// TestWalkTrace walks over a record of the trace, where there is one, and the
// count of records.
func TestWalkTrace(t *testing.T) {
	fields := fieldsOf("trace", "", reflect.TypeFor[abi.TraceRecord](), 0)
	fields = append(fields, fieldsOf("control", ".Trace", reflect.TypeFor[abi.Trace](), abi.ControlOffsetTrace)...)
	var steps []step
	for _, f := range fields {
		for _, value := range boundaries(f) {
			steps = append(steps, step{field: f, value: value, port: abi.PortTrace})
		}
	}
	most := abi.StdioTraceSize / uint64(reflect.TypeFor[abi.TraceRecord]().Size())
	walk(t, "walk: trace", airlock.Options{Trace: io.Discard}, steps, func(s step, _ string, err error) {
		if s.field.name == "Trace.Count" && s.value > most && !errors.Is(err, airlock.ErrProtocol) {
			t.Errorf("%s = %d: %v, want ErrProtocol", s.field.name, s.value, err)
		}
	})
}

// TestFieldsOf looks whether the walk would see a new field: all bytes of both
// pages' structs are in fields, but those in the middle of arrays.
func TestFieldsOf(t *testing.T) {
	t.Parallel()
	type inner struct{ A, B uint32 }
	type outer struct {
		C uint64
		D [4]inner
		E [3]byte
		F byte
	}
	var got []string
	for _, f := range fieldsOf("page", "", reflect.TypeFor[outer](), 0) {
		got = append(got, fmt.Sprint(f.name, " ", f.offset, " ", f.size))
	}
	want := []string{"C 0 8", "D[0].A 8 4", "D[0].B 12 4", "D[3].A 32 4", "D[3].B 36 4", "E[0] 40 1", "E[2] 42 1", "F 43 1"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for name := range refusals {
		if !slices.ContainsFunc(fieldsOf("control", "", reflect.TypeFor[abi.Control](), 0), func(f field) bool { return f.name == name }) {
			t.Errorf("there is no field %s", name)
		}
	}
}
