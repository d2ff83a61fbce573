package snapfile

import (
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/machine/bootstate"
)

// Registers are those of the processor. Pending events are not among them: a
// snapshot with any is not saved.
type Registers struct {
	General  General  `json:"general"`
	CS       Segment  `json:"cs"`
	DS       Segment  `json:"ds"`
	ES       Segment  `json:"es"`
	FS       Segment  `json:"fs"`
	GS       Segment  `json:"gs"`
	SS       Segment  `json:"ss"`
	TR       Segment  `json:"tr"`
	LDT      Segment  `json:"ldt"`
	GDT      Table    `json:"gdt"`
	IDT      Table    `json:"idt"`
	CR0      Hex      `json:"cr0"`
	CR2      Hex      `json:"cr2"`
	CR3      Hex      `json:"cr3"`
	CR4      Hex      `json:"cr4"`
	CR8      Hex      `json:"cr8"`
	EFER     Hex      `json:"efer"`
	APICBase Hex      `json:"apicBase"`
	MSRs     []MSR    `json:"msrs"`
	XCR0     Hex      `json:"xcr0"`
	DR       [4]Hex   `json:"dr"`
	DR6      Hex      `json:"dr6"`
	DR7      Hex      `json:"dr7"`
	XSave    []byte   `json:"xsave"`
	_        struct{} // fields by name only
}

// General are the general registers.
type General struct {
	RAX    Hex `json:"rax"`
	RBX    Hex `json:"rbx"`
	RCX    Hex `json:"rcx"`
	RDX    Hex `json:"rdx"`
	RSI    Hex `json:"rsi"`
	RDI    Hex `json:"rdi"`
	RSP    Hex `json:"rsp"`
	RBP    Hex `json:"rbp"`
	R8     Hex `json:"r8"`
	R9     Hex `json:"r9"`
	R10    Hex `json:"r10"`
	R11    Hex `json:"r11"`
	R12    Hex `json:"r12"`
	R13    Hex `json:"r13"`
	R14    Hex `json:"r14"`
	R15    Hex `json:"r15"`
	RIP    Hex `json:"rip"`
	RFLAGS Hex `json:"rflags"`
}

// Segment is a segment register with its hidden part. Of one that is unusable
// only the selector and the base mean anything, and the rest is zero.
type Segment struct {
	Selector uint16 `json:"selector"`
	Base     Hex    `json:"base"`
	Limit    uint32 `json:"limit"`
	Type     uint8  `json:"type"`
	S        uint8  `json:"s"`
	DPL      uint8  `json:"dpl"`
	Present  uint8  `json:"present"`
	AVL      uint8  `json:"avl"`
	L        uint8  `json:"l"`
	DB       uint8  `json:"db"`
	G        uint8  `json:"g"`
	Unusable uint8  `json:"unusable"`
}

// Table is GDTR or IDTR.
type Table struct {
	Base  Hex    `json:"base"`
	Limit uint16 `json:"limit"`
}

// MSR is a model-specific register.
type MSR struct {
	Index Hex `json:"index"`
	Value Hex `json:"value"`
}

// Kernel is what the guest kernel says of itself, as abi.KernelInfo.
type Kernel struct {
	Stack        Hex    `json:"stack"`
	SyscallStub  Hex    `json:"syscallStub"`
	Ring0Start   Hex    `json:"ring0Start"`
	Ring0End     Hex    `json:"ring0End"`
	GDT          Hex    `json:"gdt"`
	IDT          Hex    `json:"idt"`
	TSS          Hex    `json:"tss"`
	GDTLimit     uint32 `json:"gdtLimit"`
	IDTLimit     uint32 `json:"idtLimit"`
	TSSLimit     uint32 `json:"tssLimit"`
	TrapStubSize uint32 `json:"trapStubSize"`
	TrapStubs    Hex    `json:"trapStubs"`
	TickStub     Hex    `json:"tickStub"`
	TablesStart  Hex    `json:"tablesStart"`
	TablesEnd    Hex    `json:"tablesEnd"`
}

// NewKernel returns the form of what a kernel says of itself.
func NewKernel(k *abi.KernelInfo) Kernel {
	return Kernel{
		Stack: Hex(k.Stack), SyscallStub: Hex(k.SyscallStub), Ring0Start: Hex(k.Ring0Start), Ring0End: Hex(k.Ring0End),
		GDT: Hex(k.GDT), IDT: Hex(k.IDT), TSS: Hex(k.TSS), GDTLimit: k.GDTLimit, IDTLimit: k.IDTLimit, TSSLimit: k.TSSLimit,
		TrapStubSize: k.TrapStubSize, TrapStubs: Hex(k.TrapStubs), TickStub: Hex(k.TickStub),
		TablesStart: Hex(k.TablesStart), TablesEnd: Hex(k.TablesEnd),
	}
}

// Info is the way back.
func (k *Kernel) Info() abi.KernelInfo {
	return abi.KernelInfo{
		Magic: abi.KernelMagic, ABIVersion: abi.ABIVersion,
		Stack: uint64(k.Stack), SyscallStub: uint64(k.SyscallStub), Ring0Start: uint64(k.Ring0Start), Ring0End: uint64(k.Ring0End),
		GDT: uint64(k.GDT), IDT: uint64(k.IDT), TSS: uint64(k.TSS), GDTLimit: k.GDTLimit, IDTLimit: k.IDTLimit, TSSLimit: k.TSSLimit,
		TrapStubSize: k.TrapStubSize, TrapStubs: uint64(k.TrapStubs), TickStub: uint64(k.TickStub),
		TablesStart: uint64(k.TablesStart), TablesEnd: uint64(k.TablesEnd),
	}
}

// Processor is the state of a processor as KVM takes it.
type Processor struct {
	bootstate.State
	XSave kvm.XSave
	Debug kvm.DebugRegs
}

// NewRegisters returns the form of a processor's state.
func NewRegisters(p *Processor) Registers {
	s, g := &p.Sregs, &p.Regs
	r := Registers{
		General: General{
			RAX: Hex(g.RAX), RBX: Hex(g.RBX), RCX: Hex(g.RCX), RDX: Hex(g.RDX),
			RSI: Hex(g.RSI), RDI: Hex(g.RDI), RSP: Hex(g.RSP), RBP: Hex(g.RBP),
			R8: Hex(g.R8), R9: Hex(g.R9), R10: Hex(g.R10), R11: Hex(g.R11),
			R12: Hex(g.R12), R13: Hex(g.R13), R14: Hex(g.R14), R15: Hex(g.R15),
			RIP: Hex(g.RIP), RFLAGS: Hex(g.RFLAGS),
		},
		CS: newSegment(s.CS), DS: newSegment(s.DS), ES: newSegment(s.ES), FS: newSegment(s.FS),
		GS: newSegment(s.GS), SS: newSegment(s.SS), TR: newSegment(s.TR), LDT: newSegment(s.LDT),
		GDT: Table{Hex(s.GDT.Base), s.GDT.Limit}, IDT: Table{Hex(s.IDT.Base), s.IDT.Limit},
		CR0: Hex(s.CR0), CR2: Hex(s.CR2), CR3: Hex(s.CR3), CR4: Hex(s.CR4), CR8: Hex(s.CR8),
		EFER: Hex(s.EFER), APICBase: Hex(s.APICBase), XCR0: Hex(p.XCR0),
		DR6: Hex(p.Debug.DR6), DR7: Hex(p.Debug.DR7),
	}
	for i, v := range p.Debug.DB {
		r.DR[i] = Hex(v)
	}
	for _, m := range p.MSRs {
		r.MSRs = append(r.MSRs, MSR{Hex(m.Index), Hex(m.Data)})
	}
	x := p.XSave
	clear(x[xsaveMask:xsaveMaskEnd]) // says what the processor could, and is not read
	clear(x[xsaveUnused:xsaveHeader])
	r.XSave = x[:]
	return r
}

// Processor is the way back. Preconditions: checked.
func (r *Registers) Processor() Processor {
	g := &r.General
	p := Processor{State: bootstate.State{
		Regs: kvm.Regs{
			RAX: uint64(g.RAX), RBX: uint64(g.RBX), RCX: uint64(g.RCX), RDX: uint64(g.RDX),
			RSI: uint64(g.RSI), RDI: uint64(g.RDI), RSP: uint64(g.RSP), RBP: uint64(g.RBP),
			R8: uint64(g.R8), R9: uint64(g.R9), R10: uint64(g.R10), R11: uint64(g.R11),
			R12: uint64(g.R12), R13: uint64(g.R13), R14: uint64(g.R14), R15: uint64(g.R15),
			RIP: uint64(g.RIP), RFLAGS: uint64(g.RFLAGS),
		},
		Sregs: kvm.Sregs{
			CS: r.CS.kvm(), DS: r.DS.kvm(), ES: r.ES.kvm(), FS: r.FS.kvm(),
			GS: r.GS.kvm(), SS: r.SS.kvm(), TR: r.TR.kvm(), LDT: r.LDT.kvm(),
			GDT: r.GDT.kvm(), IDT: r.IDT.kvm(),
			CR0: uint64(r.CR0), CR2: uint64(r.CR2), CR3: uint64(r.CR3), CR4: uint64(r.CR4), CR8: uint64(r.CR8),
			EFER: uint64(r.EFER), APICBase: uint64(r.APICBase),
		},
		XCR0: uint64(r.XCR0),
	}}
	for i, v := range r.DR {
		p.Debug.DB[i] = uint64(v)
	}
	p.Debug.DR6, p.Debug.DR7 = uint64(r.DR6), uint64(r.DR7)
	for _, m := range r.MSRs {
		p.MSRs = append(p.MSRs, kvm.MSR{Index: uint32(m.Index), Data: uint64(m.Value)}) //nolint:gosec // G115: check compares all of it
	}
	copy(p.XSave[:], r.XSave)
	return p
}

func newSegment(s kvm.Segment) Segment {
	if s.Unusable != 0 {
		return Segment{Selector: s.Selector, Base: Hex(s.Base), Unusable: 1}
	}
	return Segment{
		Selector: s.Selector, Base: Hex(s.Base), Limit: s.Limit, Type: s.Type, S: s.S, DPL: s.DPL,
		Present: s.Present, AVL: s.AVL, L: s.L, DB: s.DB, G: s.G,
	}
}

func (s Segment) kvm() kvm.Segment {
	return kvm.Segment{
		Selector: s.Selector, Base: uint64(s.Base), Limit: s.Limit, Type: s.Type, S: s.S, DPL: s.DPL,
		Present: s.Present, AVL: s.AVL, L: s.L, DB: s.DB, G: s.G, Unusable: s.Unusable,
	}
}

func (t Table) kvm() kvm.DescriptorTable {
	return kvm.DescriptorTable{Base: uint64(t.Base), Limit: t.Limit}
}
