package machine

import (
	"bytes"
	"errors"
	"math"
	"math/bits"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/guestmem"
)

// fakeMemory gives a planned machine its memory, without a virtual machine.
func fakeMemory(tb testing.TB, m *Machine) *guestmem.Memory {
	tb.Helper()
	var err error
	if m.memory, err = guestmem.New(m.config.Memory, m.image.file); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = m.memory.Close() })
	if err := errors.Join(m.shareWords(), m.writePhysmap()); err != nil {
		tb.Fatal(err)
	}
	return m.memory
}

// hollow is a machine without a virtual machine: everything that only touches
// memory can be tested with it anywhere.
func hollow(tb testing.TB) *Machine {
	tb.Helper()
	im := tkImage(tb, tkCode{})
	m := &Machine{image: im, config: tkConfig, boot: im.boot, tscKHz: 2_000_000}
	if err := m.plan(); err != nil {
		tb.Fatal(err)
	}
	fakeMemory(tb, m)
	return m
}

func TestBoot(t *testing.T) {
	m := hollow(t)
	m.config.JIT, m.config.Trace = true, true
	if err := m.plan(); err != nil {
		t.Fatal(err)
	}
	args, env := []string{"prog", "", "-x=ü"}, []string{"A=1", "B="}
	seed := [32]byte{1, 2, 31: 3}
	if err := m.Boot(Start{Args: args, Env: env, Seed: seed}); err != nil {
		t.Fatal(err)
	}
	b := m.ReadControl().Boot
	if b.Magic != abi.BootMagic || b.ABIVersion != abi.ABIVersion || b.Flags != abi.BootJIT|abi.BootTrace || b.Seed != seed {
		t.Errorf("boot %+v", b)
	}
	if b.ArgumentCount != 3 || b.EnvironmentCount != 2 {
		t.Errorf("%d arguments, %d environment strings", b.ArgumentCount, b.EnvironmentCount)
	}
	want := "prog\x00\x00-x=ü\x00A=1\x00B=\x00"
	got := make([]byte, b.ArgumentBytes)
	if err := m.memory.CopyOut(got, b.InputGPA); err != nil || string(got) != want {
		t.Errorf("strings %q, %v", got, err)
	}
	if b.RegionCount != 2 || b.ProgramEntry != 0x400000 || b.PageTable == 0 {
		t.Errorf("boot %+v", b)
	}
}

func TestBootErrors(t *testing.T) {
	m := hollow(t)
	for name, args := range map[string][]string{
		"zero byte": {"a\x00b"},
		"too long":  {strings.Repeat("x", int(tkConfig.InputSize))},
	} {
		if err := m.Boot(Start{Args: args}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := m.Boot(Start{Args: []string{strings.Repeat("x", int(tkConfig.InputSize)-1)}}); err != nil {
		t.Errorf("as long as possible: %v", err)
	}
}

// readClock reads the clock page as the vDSO does.
func readClock(tb testing.TB, m *Machine) (monotonic, wall uint64) {
	tb.Helper()
	var c abi.Clock
	if err := m.memory.CopyOut(abi.Bytes(&c), abi.ClockGPA); err != nil {
		tb.Fatal(err)
	}
	if c.Sequence%2 != 0 {
		tb.Fatal("the host left the clock page in the middle of a change")
	}
	high, low := bits.Mul64(cpu.Ticks()-c.BaseTsc, c.Multiplier)
	monotonic = c.BaseNs + (high<<32 | low>>32)
	return monotonic, monotonic + c.WallOffset
}

func TestClock(t *testing.T) {
	m := tkMachine(t, spinning())
	before, _ := readClock(t, m)
	if before < bootTime || before > bootTime+uint64(time.Minute) {
		t.Errorf("monotonic time starts at %d", before)
	}
	start := time.Now()
	time.Sleep(50 * time.Millisecond)
	after, wall := readClock(t, m)
	elapsed := time.Since(start)
	guest := time.Duration(after - before)
	if guest < 49*time.Millisecond || math.Abs(float64(guest-elapsed)) > float64(time.Second) {
		t.Errorf("%v passed, the guest says %v", elapsed, guest)
	}
	if d := time.Since(time.Unix(0, int64(wall))); d < -100*time.Millisecond || d > time.Second { // less than bootTime ahead
		t.Errorf("the guest's wall time is %v behind", d)
	}
	if now := m.Now(); now < after || now > after+uint64(time.Minute) {
		t.Errorf("Now() = %d, the guest says %d", now, after)
	}
}

// TestClockRewrite: a new wall time leaves monotonic time as it is.
func TestClockRewrite(t *testing.T) {
	m := hollow(t)
	if err := m.clock.start(m.tscKHz); err != nil {
		t.Fatal(err)
	}
	var last uint64
	for i := range 100 {
		if err := m.clock.write(); err != nil {
			t.Fatal(err)
		}
		now, _ := readClock(t, m)
		if now < last {
			t.Fatalf("time went back from %d to %d", last, now)
		}
		last = now
		if s := m.clock.sequence.Load(); s != uint32(2*i+4) {
			t.Fatalf("sequence %d", s)
		}
	}
}

// TestClockForged: whatever the guest writes to the sequence, the host leaves one that
// says that the clock can be read, and another one than before.
func TestClockForged(t *testing.T) {
	m := hollow(t)
	if err := m.clock.start(0); err != nil { // nor does a counter of no known frequency matter
		t.Fatal(err)
	}
	for _, forged := range []uint32{0, 1, 7, 1 << 31, math.MaxUint32 - 1, math.MaxUint32} {
		m.clock.sequence.Store(forged)
		if err := m.clock.write(); err != nil {
			t.Fatal(err)
		}
		if got := m.clock.sequence.Load(); got%2 != 0 || got == forged {
			t.Errorf("the sequence is %#x, after the guest wrote %#x", got, forged)
		}
	}
}

// TestClockLong: host and guest agree on the time also when a guest has run for long.
func TestClockLong(t *testing.T) {
	m := hollow(t)
	for _, long := range []time.Duration{0, time.Second, 5 * time.Second, time.Hour, 1000 * time.Hour} {
		if err := m.clock.start(m.tscKHz); err != nil {
			t.Fatal(err)
		}
		m.clock.baseTSC -= m.Ticks(long)
		if err := m.clock.write(); err != nil {
			t.Fatal(err)
		}
		guest, _ := readClock(t, m)
		host := m.Now()
		want := bootTime + uint64(long)
		if guest < want || guest > want+uint64(time.Minute) || host < guest || host > guest+uint64(time.Minute) {
			t.Errorf("after %v the guest's clock says %d, the host %d", long, guest, host)
		}
	}
}

func TestUntil(t *testing.T) {
	m := hollow(t)
	if err := m.clock.start(m.tscKHz); err != nil {
		t.Fatal(err)
	}
	for _, past := range []uint64{0, 1, bootTime} {
		if d := m.Until(past); d != 0 {
			t.Errorf("Until(%d) = %v", past, d)
		}
	}
	if d := m.Until(m.Now() + uint64(time.Hour)); d < 59*time.Minute || d > time.Hour {
		t.Errorf("an hour is %v", d)
	}
	for _, far := range []uint64{math.MaxUint64, math.MaxUint64 - 1, 1 << 63, 1<<63 - 1} {
		if d := m.Until(far); d < 99*365*24*time.Hour {
			t.Errorf("Until(%d) = %v", far, d)
		}
	}
}

func TestMessages(t *testing.T) {
	m := hollow(t)
	copies := []struct {
		name  string
		copy  func([]byte) error
		limit uint64
	}{
		{"CopyMessage", m.CopyMessage, tkConfig.OutputSize},
		{"CopyStdout", m.CopyStdout, abi.StdioOutputSize},
	}
	for _, c := range copies {
		for _, n := range []uint64{0, 1, c.limit, c.limit + 1, 2 * c.limit} {
			err := c.copy(make([]byte, n))
			if (err == nil) != (n <= c.limit) || err != nil && !errors.Is(err, ErrMessage) {
				t.Errorf("%s of %d bytes: %v", c.name, n, err)
			}
		}
	}
	if m.WriteMessage(make([]byte, tkConfig.InputSize+1)) == nil || m.WriteStdin(make([]byte, abi.StdioInputSize+1)) == nil {
		t.Error("an input larger than its buffer was written")
	}
	in := bytes.Repeat([]byte{0x5a}, int(tkConfig.InputSize))
	if err := m.WriteMessage(in); err != nil {
		t.Fatal(err)
	}
	stdin := bytes.Repeat([]byte{0xa5}, abi.StdioInputSize)
	if err := m.WriteStdin(stdin); err != nil {
		t.Fatal(err)
	}
	all := contents(t, m)
	if !bytes.Equal(all[m.boot.InputGPA:], in) {
		t.Error("the input isn't at the end of memory")
	}
	if !bytes.Equal(all[m.boot.OutputGPA-abi.StdioInputSize:m.boot.OutputGPA], stdin) {
		t.Error("stdin isn't at the end of the stdio buffer")
	}

	for _, count := range []uint32{0, 1, 128, 129, math.MaxUint32} {
		list, err := m.ReadTraceRecords(count)
		if ok := count <= 128; (err == nil) != ok || ok && len(list) != int(count) || err != nil && !errors.Is(err, ErrMessage) {
			t.Errorf("%d trace records: %d, %v", count, len(list), err)
		}
	}
	record := abi.TraceRecord{Kind: abi.Trace{}.Count + 2, Number: 231, Text: [40]byte{'x'}}
	if err := m.memory.CopyIn(m.boot.StdioGPA+abi.StdioOutputSize+128, abi.Bytes(&record)); err != nil {
		t.Fatal(err)
	}
	if list, err := m.ReadTraceRecords(2); err != nil || list[1] != record {
		t.Errorf("trace records %+v, %v", list, err)
	}
}

func TestControl(t *testing.T) {
	m := hollow(t)
	want := abi.Control{
		Exit: abi.Exit{Status: 1}, Fault: abi.Fault{Kind: 2, RIP: 3}, Panic: abi.Panic{RIP: 4, Text: [200]byte{'p'}},
		Output: abi.Output{Descriptor: 5, Length: 6}, Input: abi.Input{Want: 7}, Wait: abi.Wait{Deadline: 8},
		Trace: abi.Trace{Count: 9}, UnknownCalls: 10,
	}
	if err := m.memory.CopyIn(abi.ControlGPA, abi.Bytes(&want)); err != nil {
		t.Fatal(err)
	}
	got := abi.Control{
		Exit: m.ReadExit(), Fault: m.ReadFault(), Panic: m.ReadPanic(), Output: m.ReadOutput(),
		Input: m.ReadInput(), Wait: m.ReadWait(), Trace: m.ReadTrace(), UnknownCalls: 10,
	}
	if got != want || m.ReadControl() != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
	want.Output.Result, want.Input.Result = -32, 4096
	if err := errors.Join(m.SetOutputResult(-32), m.SetInputResult(4096)); err != nil {
		t.Fatal(err)
	}
	if got := m.ReadControl(); got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
}

// FuzzControl fills control page and buffers with anything and reads them as the
// handlers of hypercalls do: lengths that the guest chose never lead anywhere
// else than to an error.
func FuzzControl(f *testing.F) {
	f.Add([]byte(nil), []byte(nil))
	f.Add(bytes.Repeat([]byte{0xff}, abi.PageSize), []byte("output"))
	f.Add(make([]byte, abi.PageSize), bytes.Repeat([]byte{0x80}, 300))
	m := hollow(f)
	if err := m.clock.start(m.tscKHz); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, control, output []byte) {
		control = control[:min(len(control), abi.PageSize)]
		output = output[:min(len(output), abi.StdioSize)]
		if err := errors.Join(m.memory.CopyIn(abi.ControlGPA, control), m.memory.CopyIn(m.boot.StdioGPA, output)); err != nil {
			t.Fatal(err)
		}
		n := m.ReadOutput().Length
		if b := make([]byte, min(n, 1<<20)); (m.CopyStdout(b) == nil) != (len(b) <= abi.StdioOutputSize) {
			t.Errorf("CopyStdout of %d bytes", len(b))
		}
		if list, err := m.ReadTraceRecords(m.ReadTrace().Count); (err == nil) != (list != nil) {
			t.Errorf("%d records, %v", len(list), err)
		}
		if d := m.Until(m.ReadWait().Deadline); d < 0 {
			t.Errorf("a wait of %v", d)
		}
		fault, exit := m.ReadFault(), m.ReadExit()
		for _, text := range []string{abi.FaultKind(fault.Kind).String(), abi.Access(fault.Access).String()} {
			if len(text) == 0 || len(text) > 100 {
				t.Errorf("a fault is called %q", text)
			}
		}
		_ = exit
	})
}
