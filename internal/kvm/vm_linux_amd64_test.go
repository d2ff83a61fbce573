package kvm_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestMain(m *testing.M) { kvmtest.Main(m) }

func TestOpen(t *testing.T) {
	notDevice := filepath.Join(t.TempDir(), "kvm")
	if err := os.WriteFile(notDevice, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/nonexistent/kvm", "/dev/null", notDevice} {
		s, err := kvm.Open(path)
		if !errors.Is(err, kvm.ErrNotAvailable) || s != nil {
			t.Errorf("Open(%s) = %v, %v", path, s, err)
		}
	}
	if h := kvm.Probe("/nonexistent/kvm"); !errors.Is(h.Err, kvm.ErrNotAvailable) || len(h.Capabilities) != 0 {
		t.Errorf("Probe() = %+v", h)
	}
}

func TestProbe(t *testing.T) {
	sys := kvmtest.Require(t)
	h := kvm.Probe(kvm.DefaultDevice)
	if h.Err != nil || h.Release == "" || h.Flavour != sys.Flavour() {
		t.Errorf("Probe() = %+v", h)
	}
	for _, c := range h.Capabilities {
		t.Logf("%v = %d", c.Capability, c.Value)
		if c.Required && c.Value == 0 {
			t.Errorf("%v is missing, and yet the device opened", c.Capability)
		}
	}
}

// guest is a virtual machine in real mode with code at address 0 of its
// memory: what every KVM has run since its first day.
type guest struct {
	vm     *kvm.VM
	vcpu   *kvm.VCPU
	memory *guestmem.Memory
}

func newGuest(t *testing.T, code []byte) *guest {
	t.Helper()
	sys := kvmtest.Require(t)
	memory, err := guestmem.New(guestmem.Alignment, nil)
	if err != nil {
		t.Fatal(err)
	}
	vm, err := sys.CreateVM()
	if err != nil {
		t.Fatal(err)
	}
	vcpu, err := vm.CreateVCPU(0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(vcpu.Close(), vm.Close(), memory.Close(), vcpu.Close(), vm.Close()); err != nil {
			t.Error(err)
		}
	})
	supported, err := sys.SupportedCPUID()
	must(t, err)
	must(t, vcpu.SetCPUID(kvm.NewCPUIDTable(supported)))
	must(t, vm.SetTSSAddr(0xfeffd000))
	must(t, memory.CopyIn(0x1000, code))
	must(t, vm.SetMemoryRegion(&kvm.MemoryRegion{Size: memory.Size(), HostAddr: memory.HostAddr()}))
	var s kvm.Sregs
	must(t, vcpu.GetSregs(&s))
	s.CS.Base, s.CS.Selector = 0, 0
	must(t, vcpu.SetSregs(&s))
	must(t, vcpu.SetRegs(&kvm.Regs{RIP: 0x1000, RSP: 0x8000, RFLAGS: 2}))
	return &guest{vm, vcpu, memory}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs until something else than a signal ends it.
func (g *guest) run(t *testing.T) kvm.ExitReason {
	t.Helper()
	for {
		reason, err := g.vcpu.Run()
		must(t, err)
		if reason != kvm.ExitIntr {
			return reason
		}
	}
}

func TestPortAccess(t *testing.T) {
	g := newGuest(t, []byte{
		0xba, 0x34, 0x12, // mov dx, 0x1234
		0xb0, 0x42, 0xee, // mov al, 0x42; out dx, al
		0xb8, 0xcd, 0xab, 0xef, // mov ax, 0xabcd; out dx, ax
		0x66, 0xb8, 0x44, 0x33, 0x22, 0x11, 0x66, 0xef, // mov eax, 0x11223344; out dx, eax
		0xe4, 0x60, // in al, 0x60
		0xf4, // hlt
	})
	for _, want := range []kvm.PortAccess{
		{Port: 0x1234, Size: 1, Out: true, Count: 1, Value: 0x42},
		{Port: 0x1234, Size: 2, Out: true, Count: 1, Value: 0xabcd},
		{Port: 0x1234, Size: 4, Out: true, Count: 1, Value: 0x11223344},
		{Port: 0x60, Size: 1, Count: 1},
	} {
		if reason := g.run(t); reason != kvm.ExitIO {
			t.Fatal(reason)
		}
		if got := g.vcpu.PortAccess(); got != want {
			t.Errorf("PortAccess() = %+v, want %+v", got, want)
		}
	}
	if reason := g.run(t); reason != kvm.ExitHLT {
		t.Fatal(reason)
	}
}

func TestMemoryAccess(t *testing.T) {
	g := newGuest(t, []byte{
		0xb8, 0x00, 0xff, 0x8e, 0xd8, // mov ax, 0xff00; mov ds, ax
		0xa2, 0x10, 0x00, // mov [0x10], al
	})
	// The slot moves away from under the address: what real mode reaches is all
	// within the smallest memory.
	must(t, g.vm.SetMemoryRegion(&kvm.MemoryRegion{}))
	must(t, g.vm.SetMemoryRegion(&kvm.MemoryRegion{Size: 0x10000, HostAddr: g.memory.HostAddr()}))
	if reason := g.run(t); reason != kvm.ExitMMIO {
		t.Fatal(reason)
	}
	if got, want := g.vcpu.MemoryAccess(), (kvm.MemoryAccess{GPA: 0xff010, Size: 1, Write: true}); got != want {
		t.Errorf("MemoryAccess() = %+v, want %+v", got, want)
	}
}

func TestRegisters(t *testing.T) {
	g := newGuest(t, []byte{0xf4})
	want := kvm.Regs{RAX: 1, RBX: 2, RSI: 3, R15: 4, RIP: 0x1000, RFLAGS: 2}
	must(t, g.vcpu.SetRegs(&want))
	var got kvm.Regs
	must(t, g.vcpu.GetRegs(&got))
	if got != want {
		t.Errorf("GetRegs() = %+v, want %+v", got, want)
	}

	var x kvm.XSave
	must(t, g.vcpu.GetXSave(&x))
	x[160] = 0x5a             // XMM0
	x[512] |= 2               // XSTATE_BV: SSE
	x[24], x[25] = 0x80, 0x1f // MXCSR
	must(t, g.vcpu.SetXSave(&x))
	var y kvm.XSave
	must(t, g.vcpu.GetXSave(&y))
	if y[160] != 0x5a {
		t.Errorf("XMM0 begins with %#x", y[160])
	}

	must(t, g.vcpu.SetXCR0(3))
	if v, err := g.vcpu.XCR0(); err != nil || v != 3 {
		t.Errorf("XCR0() = %#x, %v", v, err)
	}

	d := kvm.DebugRegs{DB: [4]uint64{0x1111}, DR6: 0xffff0ff0, DR7: 0x400}
	must(t, g.vcpu.SetDebugRegs(&d))
	var e kvm.DebugRegs
	must(t, g.vcpu.GetDebugRegs(&e))
	if e != d {
		t.Errorf("GetDebugRegs() = %+v, want %+v", e, d)
	}

	const lstar = 0xc0000082
	must(t, g.vcpu.SetMSRs([]kvm.MSR{{Index: lstar, Data: 0x1234}}))
	list := []kvm.MSR{{Index: lstar}}
	if err := g.vcpu.GetMSRs(list); err != nil || list[0].Data != 0x1234 {
		t.Errorf("LSTAR = %#x, %v", list[0].Data, err)
	}
	if err := g.vcpu.SetMSRs([]kvm.MSR{{Index: lstar}, {Index: 0xdeadbeef}}); err == nil {
		t.Error("a register that does not exist was set")
	}
	if err := g.vcpu.SetMSRs(make([]kvm.MSR, kvm.MaxMSRs+1)); err == nil {
		t.Error("too many registers were set")
	}

	checkTSCOffset(t, g)
	if khz, err := g.vcpu.TSCKHz(); err != nil || khz < 1e5 || khz > 1e7 {
		t.Errorf("TSCKHz() = %d, %v", khz, err)
	}
	var events kvm.VCPUEvents
	must(t, g.vcpu.GetEvents(&events))
	must(t, g.vcpu.SetEvents(&events))
}

func checkTSCOffset(t *testing.T, g *guest) {
	t.Helper()
	const invariantTSC = 1 << 8
	if kvm.HostCPUID(0x80000007, 0).EDX&invariantTSC == 0 {
		t.Log("KVM corrects the offset while the host's counters drift apart")
		return
	}
	offset := uint64(12345)
	if kvmtest.Require(t).Flavour() == kvm.FlavourPVM {
		offset = 0 // ring 3 reads the host's counter natively: an offset is accepted and ignored
	}
	must(t, g.vcpu.SetTSCOffset(12345))
	if v, err := g.vcpu.TSCOffset(); err != nil || v != offset {
		t.Errorf("TSCOffset() = %d, %v", v, err)
	}
}

// TestSetAtRun proves that the registers arrive, and that a state which the
// kernel refuses is an error.
func TestSetAtRun(t *testing.T) {
	g := newGuest(t, []byte{0xf4})
	var s kvm.Sregs
	must(t, g.vcpu.GetSregs(&s))
	var events kvm.VCPUEvents
	code := []byte{0xee, 0xf4} // out dx, al; hlt
	must(t, g.memory.CopyIn(0x2000, code))
	g.vcpu.SetAtRun(&kvm.Regs{RIP: 0x2000, RDX: 0x77, RAX: 0x99, RFLAGS: 2}, &s, &events)
	if reason := g.run(t); reason != kvm.ExitIO {
		t.Fatal(reason)
	}
	if p := g.vcpu.PortAccess(); p.Port != 0x77 || p.Value != 0x99 {
		t.Errorf("%+v", p)
	}
	if reason := g.run(t); reason != kvm.ExitHLT {
		t.Fatal("the registers were set twice:", reason)
	}
	s.EFER, s.CR0 = 1<<8, 1<<31|1 // long mode and paging, but no PAE
	g.vcpu.SetAtRun(&kvm.Regs{RIP: 0x2000, RFLAGS: 2}, &s, &events)
	if _, err := g.vcpu.Run(); !errors.Is(err, unix.EINVAL) {
		t.Errorf("Run() in an impossible mode: %v", err)
	}
}

// TestRequestExit proves both halves of stopping a guest: before it is entered,
// and while it runs.
func TestRequestExit(t *testing.T) {
	g := newGuest(t, []byte{0xeb, 0xfe}) // jmp $
	g.vcpu.RequestExit()
	for range 3 {
		if reason, err := g.vcpu.Run(); err != nil || reason != kvm.ExitIntr {
			t.Fatal(reason, err)
		}
	}
	g.vcpu.ClearExitRequest()

	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	tid := kvm.ThreadID()
	asked := make(chan error, 1)
	time.AfterFunc(5*time.Millisecond, func() {
		g.vcpu.RequestExit()
		asked <- kvm.SignalThread(tid)
	})
	for {
		// The Go runtime's own signals end runs too.
		reason, err := g.vcpu.Run()
		if err != nil || reason != kvm.ExitIntr {
			t.Fatal(reason, err)
		}
		select {
		case err := <-asked:
			must(t, err)
			return
		default:
		}
	}
}

func TestRefusals(t *testing.T) {
	g := newGuest(t, []byte{0xf4})
	err := g.vm.SetMemoryRegion(&kvm.MemoryRegion{Slot: 1, GPA: 1, Size: 1, HostAddr: g.memory.HostAddr()})
	var e *kvm.Error
	if !errors.As(err, &e) || e.Op != "KVM_SET_USER_MEMORY_REGION" || !errors.Is(err, unix.EINVAL) {
		t.Errorf("an unaligned slot: %v", err)
	}
	if _, err := g.vm.CreateVCPU(0); !errors.Is(err, unix.EEXIST) {
		t.Errorf("a second CPU 0: %v", err)
	}
	if err := g.vcpu.SetXCR0(0); err == nil {
		t.Error("XCR0 without x87")
	}
}

func TestGuestCPUID(t *testing.T) {
	sys := kvmtest.Require(t)
	calls := 0
	filter := func(list []kvm.CPUIDEntry) ([]kvm.CPUIDEntry, error) {
		calls++
		return list[:1], nil
	}
	for range 2 {
		table, err := sys.GuestCPUID(filter)
		must(t, err)
		if _, ok := table.Find(0, 0); !ok {
			t.Error("leaf 0 is missing")
		}
		if e, ok := table.Find(1, 0); ok {
			t.Errorf("leaf 1 is %+v", e)
		}
	}
	if calls != 1 {
		t.Errorf("the filter was called %d times", calls)
	}
}
