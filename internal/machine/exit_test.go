package machine

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
)

// begin starts a call that ends with the test, or is canceled if the test hangs.
func begin(tb testing.TB, m *Machine) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	m.Begin(ctx)
	tb.Cleanup(func() { m.End(); cancel() })
}

func TestHypercalls(t *testing.T) {
	ports := []uint16{
		abi.PortExit, abi.PortFault, abi.PortPanic, abi.PortOutput, abi.PortInput, abi.PortWait, abi.PortTrace,
		abi.PortDeclare, abi.PortNext, abi.PortHost, abi.PortLog, abi.PortAbort,
	}
	m := tkMachine(t, asm(func(c *code) {
		for _, p := range ports {
			c.out(uint32(p))
		}
		c.spin()
	}))
	begin(t, m)
	for _, port := range ports {
		hypercall(t, m, port)
	}
}

// TestPorts makes every port access that is not exactly a hypercall, and goes on
// after each.
func TestPorts(t *testing.T) {
	rows := []struct {
		name  string
		code  func(c *code)
		wants []Exit
	}{
		{"other port", func(c *code) { c.out(0x80) }, []Exit{{Port: 0x80, Size: 4, Count: 1, Write: true}}},
		{"port before the first", func(c *code) { c.out(abi.PortExit - 1) }, []Exit{{Port: abi.PortExit - 1, Size: 4, Count: 1, Write: true}}},
		{"port behind the last", func(c *code) { c.out(abi.PortAbort + 1) }, []Exit{{Port: abi.PortAbort + 1, Size: 4, Count: 1, Write: true}}},
		{"port 0", func(c *code) { c.out(0) }, []Exit{{Size: 4, Count: 1, Write: true}}},
		{"last port", func(c *code) { c.movEAX(0).movEDX(0xffff).raw(0xee) }, []Exit{{Port: 0xffff, Size: 1, Count: 1, Write: true}}},
		{"8 bits", func(c *code) { c.movEAX(0).movEDX(abi.PortExit).raw(0xee) }, []Exit{{Port: abi.PortExit, Size: 1, Count: 1, Write: true}}},
		{"16 bits", func(c *code) { c.movEAX(0).movEDX(abi.PortExit).raw(0x66, 0xef) }, []Exit{{Port: abi.PortExit, Size: 2, Count: 1, Write: true}}},
		{"not zero", func(c *code) { c.movEAX(7).movEDX(abi.PortExit).raw(0xef) }, []Exit{{Port: abi.PortExit, Size: 4, Count: 1, Write: true, Value: 7}}},
		{"in", func(c *code) { c.movEDX(abi.PortExit).raw(0xed) }, []Exit{{Port: abi.PortExit, Size: 4, Count: 1}}},
		{"in 8 bits", func(c *code) { c.movEDX(abi.PortExit).raw(0xec) }, []Exit{{Port: abi.PortExit, Size: 1, Count: 1}}},
		{"immediate port", func(c *code) { c.movEAX(0).raw(0xe7, 0x42) }, []Exit{{Port: 0x42, Size: 4, Count: 1, Write: true}}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			m := tkMachine(t, asm(func(c *code) { row.code(c); c.out(abi.PortExit).spin() }))
			begin(t, m)
			for _, want := range row.wants {
				want.Kind = ExitPort
				if got := enter(t, m); got.String() != want.String() || got.Kind != ExitPort {
					t.Errorf("Enter() = %+v, want %+v", got, want)
				}
			}
			hypercall(t, m, abi.PortExit)
		})
	}
}

// TestStringPorts: REP OUTS and INS never count as hypercalls, however KVM splits
// them.
func TestStringPorts(t *testing.T) {
	for _, row := range []struct {
		name string
		op   []byte
		out  bool
	}{
		{"rep outsd", []byte{0xf3, 0x6f}, true},
		{"rep insd", []byte{0xf3, 0x6d}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := tkMachine(t, asm(func(c *code) {
				c.movRDI(tkScratch).raw(0x48, 0x89, 0xfe) // mov rsi, rdi
				c.raw(0xb9).imm32(5)                      // mov ecx, 5
				c.movEDX(abi.PortExit).raw(row.op...)
				c.out(abi.PortPanic).spin()
			}))
			begin(t, m)
			for total := uint32(0); ; {
				e := enter(t, m)
				if e.Kind == ExitHypercall && e.Port == abi.PortPanic {
					if total != 5 {
						t.Errorf("%d accesses, want 5", total)
					}
					return
				}
				// A single repetition of OUTS with a zero can't be told from OUT.
				single := e.Kind == ExitHypercall && e.Port == abi.PortExit && row.out
				if !single && (e.Kind != ExitPort || e.Port != abi.PortExit || e.Write != row.out) {
					t.Fatalf("Enter() = %v", e)
				}
				total += max(e.Count, 1)
			}
		})
	}
}

func TestExceptions(t *testing.T) {
	for name, f := range map[string]func(c *code){
		"halt in ring 3": func(c *code) { c.raw(0xf4) },
		"invalid opcode": func(c *code) { c.raw(0x0f, 0x0b) },
		"rdmsr":          func(c *code) { c.raw(0xb9).imm32(0xc0000080).raw(0x0f, 0x32) },
		"mov cr3":        func(c *code) { c.raw(0x0f, 0x22, 0xd8) },
		"page fault":     func(c *code) { c.movRDI(0x1000).raw(0x8b, 0x07) },
		"execute data":   func(c *code) { c.movRAX(tkScratch).raw(0xff, 0xe0) },
		"write text":     func(c *code) { c.movRDI(tkText).raw(0x89, 0x07) },
	} {
		t.Run(name, func(t *testing.T) {
			m := tkMachine(t, asm(func(c *code) { f(c); c.out(abi.PortExit).spin() }))
			begin(t, m)
			hypercall(t, m, abi.PortFault)
		})
	}
}

// TestRing0 runs code in ring 0, where only a guest that took over its own
// vectors gets, and where there must be nothing to gain.
func TestRing0(t *testing.T) {
	syscall := asm(func(c *code) { c.raw(0x0f, 0x05).spin() })
	t.Run("stub", func(t *testing.T) {
		m := tkMachineOf(t, tkCode{entry: syscall})
		begin(t, m)
		hypercall(t, m, abi.PortPanic)
	})
	t.Run("halt", func(t *testing.T) {
		m := tkMachineOf(t, tkCode{entry: syscall, syscall: []byte{0xf4}})
		begin(t, m)
		e := enter(t, m)
		switch {
		case e.Kind == ExitHalt && e.RIP&^0xf == tkSyscall:
		case e.Kind == ExitHypercall && e.Port == abi.PortFault: // on KVM-PVM HLT is an exception
		default:
			t.Errorf("Enter() = %v", e)
		}
	})
	// The MSR filter turns every access into #GP, also those to registers that exist.
	for name, f := range map[string]func(c *code){
		"rdmsr EFER":     func(c *code) { c.raw(0xb9).imm32(0xc0000080).raw(0x0f, 0x32) },
		"wrmsr LSTAR":    func(c *code) { c.raw(0xb9).imm32(0xc0000082).raw(0x0f, 0x30) },
		"rdmsr APICBASE": func(c *code) { c.raw(0xb9).imm32(0x1b).raw(0x0f, 0x32) },
		"wrmsr TSC":      func(c *code) { c.raw(0xb9).imm32(0x10).raw(0x0f, 0x30) },
		"rdmsr nonsense": func(c *code) { c.raw(0xb9).imm32(0x12345).raw(0x0f, 0x32) },
	} {
		t.Run(name, func(t *testing.T) {
			m := tkMachineOf(t, tkCode{entry: syscall, syscall: asm(func(c *code) { f(c); c.out(abi.PortPanic).spin() })})
			begin(t, m)
			hypercall(t, m, abi.PortFault)
		})
	}
}

func TestTripleFault(t *testing.T) {
	m := tkMachineOf(t, tkCode{entry: []byte{0x0f, 0x0b}, info: noIDT})
	begin(t, m)
	if e := enter(t, m); e.Kind != ExitShutdown {
		t.Errorf("Enter() = %v", e)
	}
}

// outside makes the guest map guest-physical memory that does not exist, and
// access it.
func outside(im *Image, gpa uint64, op ...byte) func(c *code) {
	const entry = 100 // in the table of the physmap, far behind the test's memory
	return func(c *code) {
		c.movRDI(abi.Physmap + im.Size() + entry*8).movRAX(gpa | 0xe7).stosq()
		c.movRDI(abi.Physmap + entry*abi.MemoryUnit + 0x10).raw(op...)
		c.out(abi.PortExit).spin()
	}
}

func TestOutsideMemory(t *testing.T) {
	im := tkImage(t, tkCode{}) // all test images have the same size
	for _, row := range []struct {
		name string
		op   []byte
		gpa  uint64
		want Exit
	}{
		{"write 4", []byte{0x89, 0x07}, 1 << 30, Exit{Write: true, Size: 4}},
		{"write 1", []byte{0x88, 0x07}, tkConfig.Memory, Exit{Write: true, Size: 1}},
		{"read 8", []byte{0x48, 0x8b, 0x07}, 1 << 30, Exit{Size: 8}},
		{"the local APIC", []byte{0x89, 0x07}, 0xfee00000, Exit{Write: true, Size: 4}},
	} {
		t.Run(row.name, func(t *testing.T) {
			m := tkMachine(t, asm(outside(im, row.gpa, row.op...)))
			begin(t, m)
			row.want.Kind, row.want.GPA = ExitPhysical, row.gpa+0x10
			e := enter(t, m)
			if e.RIP&^0xff != tkText {
				t.Errorf("RIP = %#x", e.RIP)
			}
			e.RIP = 0
			if e.String() != row.want.String() {
				t.Fatalf("Enter() = %v, want %v", e, row.want)
			}
			hypercall(t, m, abi.PortExit)
		})
	}
}

func TestExitNames(t *testing.T) {
	seen := make(map[string]bool)
	for k := ExitInvalid; k <= ExitUnknown+1; k++ {
		if k.String() == "" || seen[k.String()] {
			t.Errorf("kind %d is called %q", k, k)
		}
		seen[k.String()] = true
		if text := (Exit{Kind: k, Port: 0xa101, GPA: 0x1234, Reason: 0x77}).String(); text == "" {
			t.Errorf("an exit of kind %d has no description", k)
		}
	}
	e := Exit{Kind: ExitPhysical, GPA: 0xabcd000, Size: 4, Write: true, RIP: 0x400123}
	for _, part := range []string{"write", "0xabcd000", "0x400123"} {
		if !strings.Contains(e.String(), part) {
			t.Errorf("%q does not tell %s", e, part)
		}
	}
}
