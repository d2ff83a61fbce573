package machine

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/elf"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestMain(m *testing.M) { kvmtest.Main(m) }

// A test kernel is built here from bytes, so that these tests need neither a
// compiler nor the real kernel.
//
//	+0x0000 R   info, GDT, IDT
//	+0x1000 RX  code: the entry first, ring-0 stubs at fixed offsets
//	+0x4000 RW  TSS with its I/O bitmap, stacks, data
const (
	tkGDT       = abi.KernelBase + 0x100
	tkIDT       = abi.KernelBase + 0x200
	tkText      = abi.KernelBase + 0x1000
	tkSyscall   = tkText + 0x800 // ring 0: OUT to PortPanic
	tkTick      = tkText + 0x900 // ring 0: count and IRET
	tkTrap      = tkText + 0xa00 // ring 0: OUT to PortFault
	tkData      = abi.KernelBase + 0x4000
	tkTSS       = tkData
	tkTicks     = tkData + 0x3000 // uint32: ticks so far
	tkScratch   = tkData + 0x3008
	tkStack     = tkData + 0x5000
	tkRing0     = tkData + 0x4800
	tkDataEnd   = tkData + 0x6000
	tssLimit    = 0x67 + 0x2001 // with a bitmap of 64 Ki ports and its last byte
	tkTickTotal = tkTicks - abi.KernelBase + abi.ImageGPA
)

// code is a little assembler.
type code struct{ bytes.Buffer }

func (c *code) raw(b ...byte) *code { c.Write(b); return c }

func (c *code) imm32(v uint32) *code { return c.raw(binary.LittleEndian.AppendUint32(nil, v)...) }
func (c *code) imm64(v uint64) *code { return c.raw(binary.LittleEndian.AppendUint64(nil, v)...) }

func (c *code) movEAX(v uint32) *code { return c.raw(0xb8).imm32(v) }
func (c *code) movEDX(v uint32) *code { return c.raw(0xba).imm32(v) }
func (c *code) movRAX(v uint64) *code { return c.raw(0x48, 0xb8).imm64(v) }
func (c *code) movRDI(v uint64) *code { return c.raw(0x48, 0xbf).imm64(v) }

// out is the hypercall: mov $0,%eax; mov $port,%edx; out %eax,(%dx).
func (c *code) out(port uint32) *code { return c.movEAX(0).movEDX(port).raw(0xef) }

// spin is a jump to itself.
func (c *code) spin() *code { return c.raw(0xeb, 0xfe) }

// loop jumps back to the start.
func (c *code) loop() *code {
	end := c.Len() + 5
	return c.raw(0xe9).imm32(uint32(-end))
}

func asm(f func(c *code)) []byte {
	var c code
	f(&c)
	return c.Bytes()
}

// tkCode is what a test kernel consists of. What is nil has a default: the
// stubs then report to PortPanic (SYSCALL) and PortFault (exceptions).
type tkCode struct {
	entry, syscall, trap []byte
	info                 func(info *abi.KernelInfo) // changes what the kernel says about itself
}

// tkKernel builds a kernel whose entry is the given code.
func tkKernel(k tkCode) []byte {
	rodata := make([]byte, 0x800)
	info := abi.KernelInfo{
		Magic: abi.KernelMagic, ABIVersion: abi.ABIVersion, Stack: tkStack, SyscallStub: tkSyscall,
		Ring0Start: tkSyscall, Ring0End: tkText + 0x1000,
		GDT: tkGDT, IDT: tkIDT, TSS: tkTSS, GDTLimit: 0x4f, IDTLimit: 33*16 - 1, TSSLimit: tssLimit,
	}
	if k.info != nil {
		k.info(&info)
	}
	copy(rodata, abi.Bytes(&info))
	put := binary.LittleEndian.PutUint64
	gdt := rodata[tkGDT-abi.KernelBase:]
	put(gdt[abi.Ring0CS:], 0x00af9b000000ffff)
	put(gdt[abi.Ring0SS:], 0x00cf93000000ffff)
	put(gdt[abi.UserSS&^3:], 0x00cff3000000ffff)
	put(gdt[abi.UserCS&^3:], 0x00affb000000ffff)
	const base = uint64(tkTSS)
	put(gdt[abi.TSSSelector:], tssLimit&0xffff|(base&0xffffff)<<16|0x8b<<40|(base>>24&0xff)<<56)
	put(gdt[abi.TSSSelector+8:], base>>32)
	for v := range 33 {
		handler := uint64(tkTrap)
		if v == abi.TickVector {
			handler = tkTick
		}
		gate := rodata[tkIDT-abi.KernelBase+16*v:]
		put(gate, handler&0xffff|abi.Ring0CS<<16|0x8e<<40|(handler>>16&0xffff)<<48)
		put(gate[8:], handler>>32)
	}

	text := make([]byte, 0x1000)
	copy(text, k.entry)
	copy(text[tkSyscall-tkText:], asm(func(c *code) { c.out(abi.PortPanic).spin() }))
	copy(text[tkSyscall-tkText:], k.syscall)
	// The tick: rax and rdi are saved, the counter goes up, tick_pending goes to 0.
	copy(text[tkTick-tkText:], asm(func(c *code) {
		c.raw(0x50, 0x57).movRDI(tkTicks).raw(0xff, 0x07). // push rax; push rdi; incl (rdi)
									movRDI(abi.Physmap+abi.ControlOffsetTickPending).
									raw(0xc7, 0x07).imm32(0).   // movl $0,(rdi)
									raw(0x5f, 0x58, 0x48, 0xcf) // pop rdi; pop rax; iretq
	}))
	copy(text[tkTrap-tkText:], asm(func(c *code) { c.out(abi.PortFault).spin() }))
	copy(text[tkTrap-tkText:], k.trap)

	data := make([]byte, tkDataEnd-tkData)
	put(data[4:], tkRing0)                           // RSP0
	binary.LittleEndian.PutUint16(data[0x66:], 0x68) // offset of the I/O bitmap: all zero, all allowed
	data[tssLimit] = 0xff                            // its end mark
	return elfFile(tkText, []elfSegment{
		{abi.KernelBase, rodata, 4},
		{tkText, text, 5},
		{tkData, data, 6},
	})
}

type elfSegment struct {
	addr  uint64
	data  []byte
	flags uint32 // PF_X 1, PF_W 2, PF_R 4
}

// elfFile writes a static executable.
func elfFile(entry uint64, segments []elfSegment) []byte {
	le := binary.LittleEndian
	head := []byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	head = le.AppendUint16(head, 2)  // ET_EXEC
	head = le.AppendUint16(head, 62) // EM_X86_64
	head = le.AppendUint32(head, 1)
	head = le.AppendUint64(head, entry)
	head = le.AppendUint64(head, 64)
	head = le.AppendUint64(head, 0)
	head = le.AppendUint32(head, 0)
	for _, v := range []uint16{64, 56, uint16(len(segments)), 64, 0, 0} {
		head = le.AppendUint16(head, v)
	}
	file := append([]byte(nil), make([]byte, 0x1000)...)
	for _, s := range segments {
		head = le.AppendUint32(head, 1) // PT_LOAD
		head = le.AppendUint32(head, s.flags)
		file = append(file, make([]byte, s.addr&0xfff)...)
		head = le.AppendUint64(head, uint64(len(file)))
		head = le.AppendUint64(head, s.addr)
		head = le.AppendUint64(head, s.addr)
		head = le.AppendUint64(head, uint64(len(s.data)))
		head = le.AppendUint64(head, uint64(len(s.data)))
		head = le.AppendUint64(head, 0x1000)
		file = append(file, s.data...)
		file = append(file, make([]byte, -len(file)&0xfff)...)
	}
	copy(file, head)
	return file
}

// tkProgram is a program that is never run: a page of code, one of data.
func tkProgram(tb testing.TB) *elf.Image {
	tb.Helper()
	file := elfFile(0x400000, []elfSegment{
		{0x400000, bytes.Repeat([]byte{0x90}, 100), 5},
		{0x600000, []byte("some data"), 6},
	})
	p, err := elf.Parse(file, elf.Limits{UserEnd: abi.UserEnd})
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func tkImage(tb testing.TB, k tkCode) *Image {
	tb.Helper()
	im, err := NewImage(tkKernel(k), tkProgram(tb))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = im.Close() })
	return im
}

var tkConfig = Config{Memory: 4 << 20, OutputSize: 64 << 10, InputSize: 64 << 10}

// tkMachine makes and boots a machine whose kernel is the given code.
func tkMachine(tb testing.TB, entry []byte) *Machine {
	tb.Helper()
	return tkMachineOf(tb, tkCode{entry: entry})
}

func tkMachineOf(tb testing.TB, k tkCode) *Machine {
	tb.Helper()
	sys := kvmtest.Require(tb)
	return tkMachineOn(tb, sys, tkImage(tb, k), chooseRunner(sys.KernelVersion()))
}

func tkMachineOn(tb testing.TB, sys *kvm.System, im *Image, r runner) *Machine {
	tb.Helper()
	m, err := newMachine(sys, im, tkConfig, r)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := m.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	if err := m.Boot(Start{Args: []string{"arg"}, Env: []string{"K=V"}, Seed: [32]byte{1, 2, 3}}); err != nil {
		tb.Fatal(err)
	}
	return m
}

// enter makes one Enter and fails the test for an error.
func enter(tb testing.TB, m *Machine) Exit {
	tb.Helper()
	e, err := m.Enter()
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// hypercall makes one Enter and fails the test if that doesn't end in a
// hypercall to the port.
func hypercall(tb testing.TB, m *Machine, port uint16) {
	tb.Helper()
	if e := enter(tb, m); e.Kind != ExitHypercall || e.Port != port {
		tb.Fatalf("Enter() = %v, want hypercall %#x", e, port)
	}
}

// noIDT is a kernel whose every exception is a triple fault.
func noIDT(info *abi.KernelInfo) { info.IDTLimit = 0 }
