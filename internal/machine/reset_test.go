package machine

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// contents returns all of a machine's memory.
func contents(tb testing.TB, m *Machine) []byte {
	tb.Helper()
	b := make([]byte, m.config.Memory)
	if err := m.memory.CopyOut(b, 0); err != nil {
		tb.Fatal(err)
	}
	return b
}

// spoiler is what a guest does to its machine, and a reset or restore undoes.
type spoiler struct {
	name string
	code func(c *code)
}

// spoilers are all the ways that a guest has. The image is any of the test
// kernel, since all have the same size.
func spoilers(im *Image) []spoiler {
	fill := func(from, to uint64) func(c *code) {
		return func(c *code) {
			c.movRDI(abi.Physmap + from).movEAX(0xa5a5a5a5)
			c.raw(0xb9).imm32(uint32(to-from)/4).raw(0xf3, 0xab) // rep stosd
			c.out(abi.PortExit).spin()
		}
	}
	often := []byte{0xb9, 0x2c, 0x01, 0, 0}                                                       // mov ecx, 300
	copied := asm(func(c *code) { c.movRDI(abi.Physmap+im.Size()+abi.PageSize).raw(0xf3, 0xa4) }) // rep movsb
	return []spoiler{
		{"nothing", func(c *code) { c.out(abi.PortExit).spin() }},
		{"free memory", fill(im.Size()+abi.PageSize, tkConfig.Memory)},
		{"control and clock page", fill(0, abi.ImageGPA)},
		{"kernel and page tables", fill(abi.ImageGPA, im.Size()+abi.PageSize)},
		{"everything", fill(0, tkConfig.Memory)},
		{"page tables", func(c *code) {
			// The text's page becomes writable, and is changed: the shadow of the old
			// mapping and of the new content must both go.
			c.movRDI(abi.Physmap + im.physmap)
			c.movEAX(0).raw(0xb9).imm32(256*2).raw(0xf3, 0xab) // the physmap's links
			c.out(abi.PortExit).spin()
		}},
		{"registers", func(c *code) {
			c.raw(0xbc).imm32(0x666)                           // mov esp
			c.raw(0xfd, 0xf9)                                  // std; stc
			c.raw(0xc5, 0xfd, 0x76, 0xc0)                      // ymm0 = ~0
			c.movRAX(0x1234).raw(0xf3, 0x48, 0x0f, 0xae, 0xd8) // wrgsbase
			c.out(abi.PortExit).spin()
		}},
		{"an unknown port", func(c *code) { c.out(0x80).spin() }},
		{"a read from a port", func(c *code) { c.movEDX(0x80).raw(0xed).spin() }},
		{"memory outside, read", outside(im, 1<<30, 0x48, 0x8b, 0x07)},
		{"memory outside, written", outside(im, 1<<30, 0x89, 0x07)},
		// KVM remembers a repeated instruction as one that is not finished yet.
		{"memory outside, written again and again", outside(im, 1<<30, append(often, 0xf3, 0xaa)...)},          // rep stosb
		{"memory outside, copied", outside(im, 1<<30, append(append(often, 0x48, 0x89, 0xfe), 0xf3, 0xa4)...)}, // mov rsi, rdi; rep movsb
		{"memory outside, read again and again", outside(im, 1<<30, append(append(often, 0x48, 0x89, 0xfe), copied...)...)},
	}
}

// TestReset spoils a machine in every way a guest has and expects it as new.
func TestReset(t *testing.T) {
	sys := kvmtest.Require(t)
	for _, row := range spoilers(tkImage(t, tkCode{})) {
		t.Run(row.name, func(t *testing.T) {
			entry := asm(func(c *code) { row.code(c) })
			m := tkMachineOn(t, sys, tkImage(t, tkCode{entry: entry}), chooseRunner(sys.KernelVersion()))
			fresh := tkMachineOn(t, sys, m.image, chooseRunner(sys.KernelVersion()))
			if err := fresh.Reset(); err != nil { // undo Boot
				t.Fatal(err)
			}
			want := contents(t, fresh)
			var kinds []string
			for range 3 {
				kinds = append(kinds, runAndReset(t, m, want))
			}
			t.Log(kinds)
			if kinds[1] != kinds[0] || kinds[2] != kinds[0] {
				t.Errorf("it ran differently after a reset: %q", kinds)
			}
		})
	}
}

// runAndReset runs a machine once, resets it and compares with a fresh one. It
// returns how the run ended.
func runAndReset(t *testing.T, m *Machine, want []byte) string {
	t.Helper()
	m.Begin(context.Background())
	e := enter(t, m)
	m.End()
	if err := m.Reset(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, m); !bytes.Equal(got, want) {
		for gpa := range got {
			if got[gpa] != want[gpa] {
				t.Fatalf("memory differs from %#x on", gpa)
			}
		}
	}
	checkRegisters(t, m)
	if err := m.Boot(Start{Args: []string{"arg"}}); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(e)
}

// checkRegisters compares what the next run starts with, as far as it can be
// read, with the boot state.
func checkRegisters(t *testing.T, m *Machine) {
	t.Helper()
	// A run that ends before it begins takes over the registers set for it.
	m.vcpu.RequestExit()
	if reason, err := m.vcpu.Run(); err != nil || reason != kvm.ExitIntr {
		t.Fatal(reason, err)
	}
	m.vcpu.ClearExitRequest()
	var r kvm.Regs
	if err := m.vcpu.GetRegs(&r); err != nil {
		t.Fatal(err)
	}
	// KVM-PVM forgets IOPL.
	const iopl = 3 << 12
	want := m.state.Regs
	r.RFLAGS |= iopl
	if r != want {
		t.Errorf("registers %+v, want %+v", r, want)
	}
	var x kvm.XSave
	if err := m.vcpu.GetXSave(&x); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x[160:176], make([]byte, 16)) || !bytes.Equal(x[576:592], make([]byte, 16)) {
		t.Errorf("YMM0 is %x %x", x[160:176], x[576:592])
	}
	if x[24] != 0x80 || x[25] != 0x1f {
		t.Errorf("MXCSR is %x", x[24:28])
	}
	var s kvm.Sregs
	if err := m.vcpu.GetSregs(&s); err != nil {
		t.Fatal(err)
	}
	if s.GS.Base != 0 || s.FS.Base != 0 || s.CR3 != m.boot.PageTable || s.CS.Selector != abi.UserCS {
		t.Errorf("special registers %+v", s)
	}
}

func TestResetAfterTripleFault(t *testing.T) {
	m := tkMachineOf(t, tkCode{entry: []byte{0x0f, 0x0b}, info: noIDT})
	for range 3 {
		m.Begin(context.Background())
		if e := enter(t, m); e.Kind != ExitShutdown {
			t.Errorf("Enter() = %v", e)
		}
		m.End()
		if err := m.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestResetAfterCancel(t *testing.T) {
	m := tkMachine(t, spinning())
	for range 3 {
		m.Begin(context.Background())
		hypercall(t, m, abi.PortExit)
		m.End()
		ctx, cancel := context.WithTimeout(context.Background(), tickPeriod)
		m.Begin(ctx)
		if e := enter(t, m); e.Kind != ExitCanceled {
			t.Errorf("Enter() = %v", e)
		}
		m.End()
		cancel()
		if err := m.Reset(); err != nil {
			t.Fatal(err)
		}
	}
}
