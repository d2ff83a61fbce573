package kvm

import "unsafe"

// Regs are the general registers. It mirrors struct kvm_regs.
type Regs struct {
	RAX, RBX, RCX, RDX uint64
	RSI, RDI, RSP, RBP uint64
	R8, R9, R10, R11   uint64
	R12, R13, R14, R15 uint64
	RIP, RFLAGS        uint64
}

// Segment is a segment register with its hidden part. It mirrors struct
// kvm_segment.
type Segment struct {
	Base     uint64
	Limit    uint32
	Selector uint16
	Type     uint8
	Present  uint8
	DPL      uint8
	DB       uint8
	S        uint8
	L        uint8
	G        uint8
	AVL      uint8
	Unusable uint8
	_        uint8
}

// DescriptorTable is GDTR or IDTR. It mirrors struct kvm_dtable.
type DescriptorTable struct {
	Base  uint64
	Limit uint16
	_     [3]uint16
}

// Sregs are the special registers. It mirrors struct kvm_sregs.
type Sregs struct {
	CS, DS, ES, FS, GS, SS  Segment
	TR, LDT                 Segment
	GDT, IDT                DescriptorTable
	CR0, CR2, CR3, CR4, CR8 uint64
	EFER                    uint64
	APICBase                uint64
	InterruptBitmap         [4]uint64
}

// MSR is one model-specific register. It mirrors struct kvm_msr_entry.
type MSR struct {
	Index uint32
	_     uint32
	Data  uint64
}

// MaxMSRs is the most registers that one call of SetMSRs or GetMSRs takes.
const MaxMSRs = 16

// msrs mirrors struct kvm_msrs with room for MaxMSRs entries.
type msrs struct {
	count   uint32
	_       uint32
	entries [MaxMSRs]MSR
}

// CPUIDEntry is one leaf of CPUID. It mirrors struct kvm_cpuid_entry2.
type CPUIDEntry struct {
	Function, Index    uint32
	Flags              uint32
	EAX, EBX, ECX, EDX uint32
	_                  [3]uint32
}

// CPUIDSignificantIndex marks an entry whose Index counts
// (KVM_CPUID_FLAG_SIGNIFCANT_INDEX).
const CPUIDSignificantIndex = 1

// MaxCPUID is the most entries that a CPUIDTable holds. It is the kernel's own
// limit, KVM_MAX_CPUID_ENTRIES.
const MaxCPUID = 256

// CPUIDTable is what CPUID answers in a guest. It mirrors struct kvm_cpuid2, so
// that one prepared table serves any number of virtual CPUs without a copy.
type CPUIDTable struct {
	count   uint32
	_       uint32
	entries [MaxCPUID]CPUIDEntry
}

// NewCPUIDTable makes a table of the entries. It panics when there are more
// than MaxCPUID.
func NewCPUIDTable(entries []CPUIDEntry) *CPUIDTable {
	if len(entries) > MaxCPUID {
		panic("kvm: too many CPUID entries")
	}
	t := &CPUIDTable{count: uint32(len(entries))} //nolint:gosec // G115: at most MaxCPUID
	copy(t.entries[:], entries)
	return t
}

// Find returns the entry for a leaf, and a subleaf where the leaf has some.
func (t *CPUIDTable) Find(function, index uint32) (CPUIDEntry, bool) {
	for _, e := range t.entries[:min(t.count, MaxCPUID)] {
		if e.Function == function && (e.Index == index || e.Flags&CPUIDSignificantIndex == 0) {
			return e, true
		}
	}
	return CPUIDEntry{}, false
}

// XSave is the extended state (x87, SSE, AVX, ...) in the layout of the XSAVE
// instruction. It mirrors struct kvm_xsave.
type XSave [4096]byte

// DebugRegs are the debug registers. It mirrors struct kvm_debugregs.
type DebugRegs struct {
	DB    [4]uint64
	DR6   uint64
	DR7   uint64
	Flags uint64
	_     [9]uint64
}

// VCPUEvents are the pending exceptions and interrupts. It mirrors struct
// kvm_vcpu_events.
type VCPUEvents struct {
	ExceptionInjected, ExceptionNr, ExceptionHasErrorCode, ExceptionPending uint8
	ExceptionErrorCode                                                      uint32
	InterruptInjected, InterruptNr, InterruptSoft, InterruptShadow          uint8
	NMIInjected, NMIPending, NMIMasked, _                                   uint8
	SIPIVector                                                              uint32
	Flags                                                                   uint32
	SMM, SMIPending, SMMInsideNMI, LatchedINIT                              uint8
	TripleFaultPending                                                      uint8
	_                                                                       [26]uint8
	ExceptionHasPayload                                                     uint8
	ExceptionPayload                                                        uint64
}

// Bits of VCPUEvents.Flags: which fields count.
const (
	EventsNMIPending  = 1
	EventsShadow      = 4
	EventsTripleFault = 0x20
)

// MemoryRegion places host memory at a guest-physical address. It mirrors
// struct kvm_userspace_memory_region.
type MemoryRegion struct {
	Slot     uint32
	Flags    uint32
	GPA      uint64
	Size     uint64
	HostAddr uint64
}

// MemLogDirtyPages in MemoryRegion.Flags makes the kernel note which pages the
// guest writes to (KVM_MEM_LOG_DIRTY_PAGES).
const MemLogDirtyPages = 1

// dirtyLog mirrors struct kvm_dirty_log.
type dirtyLog struct {
	slot   uint32
	_      uint32
	bitmap *uint64
}

// clearDirtyLog mirrors struct kvm_clear_dirty_log.
type clearDirtyLog struct {
	slot      uint32
	pages     uint32
	firstPage uint64
	bitmap    *uint64
}

// enableCap mirrors struct kvm_enable_cap.
type enableCap struct {
	capability uint32
	flags      uint32
	args       [4]uint64
	_          [64]uint8
}

// xcrs mirrors struct kvm_xcrs.
type xcrs struct {
	count uint32
	flags uint32
	xcrs  [16]struct {
		xcr, reserved uint32
		value         uint64
	}
	_ [16]uint64
}

// deviceAttr mirrors struct kvm_device_attr.
type deviceAttr struct {
	flags uint32
	group uint32
	attr  uint64
	addr  *uint64
}

// msrFilterRange mirrors struct kvm_msr_filter_range.
type msrFilterRange struct {
	flags  uint32
	count  uint32
	base   uint32
	bitmap *uint8
}

// msrFilter mirrors struct kvm_msr_filter.
type msrFilter struct {
	flags  uint32
	ranges [16]msrFilterRange
}

// interrupt mirrors struct kvm_interrupt.
type interrupt struct {
	vector uint32
}

// runPage mirrors the part of struct kvm_run that is used here.
type runPage struct {
	in            uint32 // request_interrupt_window, immediate_exit, padding: see runIn
	_             uint32
	exitReason    uint32
	readyForIRQ   uint8
	interruptFlag uint8
	flags         uint16
	cr8           uint64
	apicBase      uint64
	exit          [256]uint8 // the union: io, mmio, internalError, failEntry
	validRegs     uint64     // what the kernel writes to synced at an exit
	dirtyRegs     uint64     // what it takes from there at an entry
	synced        syncRegs
}

// syncRegs mirrors struct kvm_sync_regs.
type syncRegs struct {
	regs   Regs
	sregs  Sregs
	events VCPUEvents
}

// Bits of runPage.dirtyRegs.
const (
	syncX86Regs   = 1
	syncX86Sregs  = 2
	syncX86Events = 4
)

// The bytes of runPage.in. They are one word here because both sides of a race
// (the thread that runs and the one that kicks it) change it, atomically.
const (
	runRequestInterruptWindow = 1 << 0 // byte 0
	runImmediateExit          = 1 << 8 // byte 1
)

// io mirrors the member io of kvm_run's union.
type io struct {
	direction  uint8
	size       uint8
	port       uint16
	count      uint32
	dataOffset uint64
}

const ioOut = 1 // KVM_EXIT_IO_OUT

// mmio mirrors the member mmio of kvm_run's union.
type mmio struct {
	physAddr uint64
	data     [8]uint8
	length   uint32
	isWrite  uint8
}

// internalError mirrors the member internal of kvm_run's union.
type internalError struct {
	suberror uint32
	count    uint32
	data     [16]uint64
}

// failEntry mirrors the member fail_entry of kvm_run's union.
type failEntry struct {
	reason uint64
	cpu    uint32
}

// Sizes as the kernel has them: a difference is no build. The constants are
// compared with the C compiler's by a test.
func _() {
	var x [1]struct{}
	_ = x[unsafe.Sizeof(Regs{})-144]
	_ = x[unsafe.Sizeof(Segment{})-24]
	_ = x[unsafe.Sizeof(Sregs{})-312]
	_ = x[unsafe.Sizeof(MSR{})-16]
	_ = x[unsafe.Sizeof(CPUIDEntry{})-40]
	_ = x[unsafe.Sizeof(XSave{})-4096]
	_ = x[unsafe.Sizeof(DebugRegs{})-128]
	_ = x[unsafe.Sizeof(VCPUEvents{})-64]
	_ = x[unsafe.Sizeof(MemoryRegion{})-32]
	_ = x[unsafe.Sizeof(dirtyLog{})-16]
	_ = x[unsafe.Sizeof(clearDirtyLog{})-24]
	_ = x[unsafe.Sizeof(enableCap{})-104]
	_ = x[unsafe.Sizeof(xcrs{})-392]
	_ = x[unsafe.Sizeof(deviceAttr{})-24]
	_ = x[unsafe.Sizeof(msrFilterRange{})-24]
	_ = x[unsafe.Sizeof(msrFilter{})-392]
	_ = x[unsafe.Offsetof(runPage{}.exitReason)-8]
	_ = x[unsafe.Offsetof(runPage{}.readyForIRQ)-12]
	_ = x[unsafe.Offsetof(runPage{}.interruptFlag)-13]
	_ = x[unsafe.Offsetof(runPage{}.exit)-32]
	_ = x[unsafe.Offsetof(runPage{}.dirtyRegs)-296]
	_ = x[unsafe.Offsetof(runPage{}.synced)-304]
	_ = x[unsafe.Sizeof(syncRegs{})-520]
}
