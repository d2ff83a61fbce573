package kvm

import (
	"strconv"
	"unsafe"
)

// ioctl request numbers. Their middle part is the size of the argument, which
// thereby checks the mirrored structs once more: the kernel knows no request of
// another size.
const (
	ioNone  = 0 << 30
	ioWrite = 1 << 30
	ioRead  = 2 << 30
	ioKVM   = 0xae << 8

	reqGetAPIVersion       = ioNone | ioKVM
	reqCreateVM            = ioNone | ioKVM | 0x01
	reqCheckExtension      = ioNone | ioKVM | 0x03
	reqGetVCPUMmapSize     = ioNone | ioKVM | 0x04
	reqGetSupportedCPUID   = ioRead | ioWrite | cpuidHeader<<16 | ioKVM | 0x05
	reqCreateVCPU          = ioNone | ioKVM | 0x41
	reqGetDirtyLog         = ioWrite | unsafe.Sizeof(dirtyLog{})<<16 | ioKVM | 0x42
	reqSetUserMemoryRegion = ioWrite | unsafe.Sizeof(MemoryRegion{})<<16 | ioKVM | 0x46
	reqSetTSSAddr          = ioNone | ioKVM | 0x47
	reqRun                 = ioNone | ioKVM | 0x80
	reqGetRegs             = ioRead | unsafe.Sizeof(Regs{})<<16 | ioKVM | 0x81
	reqSetRegs             = ioWrite | unsafe.Sizeof(Regs{})<<16 | ioKVM | 0x82
	reqGetSregs            = ioRead | unsafe.Sizeof(Sregs{})<<16 | ioKVM | 0x83
	reqSetSregs            = ioWrite | unsafe.Sizeof(Sregs{})<<16 | ioKVM | 0x84
	reqInterrupt           = ioWrite | unsafe.Sizeof(interrupt{})<<16 | ioKVM | 0x86
	reqGetMSRs             = ioRead | ioWrite | msrsHeader<<16 | ioKVM | 0x88
	reqSetMSRs             = ioWrite | msrsHeader<<16 | ioKVM | 0x89
	reqSetCPUID2           = ioWrite | cpuidHeader<<16 | ioKVM | 0x90
	reqGetVCPUEvents       = ioRead | unsafe.Sizeof(VCPUEvents{})<<16 | ioKVM | 0x9f
	reqSetVCPUEvents       = ioWrite | unsafe.Sizeof(VCPUEvents{})<<16 | ioKVM | 0xa0
	reqGetDebugRegs        = ioRead | unsafe.Sizeof(DebugRegs{})<<16 | ioKVM | 0xa1
	reqSetDebugRegs        = ioWrite | unsafe.Sizeof(DebugRegs{})<<16 | ioKVM | 0xa2
	reqGetTSCKHz           = ioNone | ioKVM | 0xa3
	reqGetXSave            = ioRead | unsafe.Sizeof(XSave{})<<16 | ioKVM | 0xa4
	reqSetXSave            = ioWrite | unsafe.Sizeof(XSave{})<<16 | ioKVM | 0xa5
	reqGetXCRS             = ioRead | unsafe.Sizeof(xcrs{})<<16 | ioKVM | 0xa6
	reqSetXCRS             = ioWrite | unsafe.Sizeof(xcrs{})<<16 | ioKVM | 0xa7
	reqEnableCap           = ioWrite | unsafe.Sizeof(enableCap{})<<16 | ioKVM | 0xa3
	reqClearDirtyLog       = ioRead | ioWrite | unsafe.Sizeof(clearDirtyLog{})<<16 | ioKVM | 0xc0
	reqX86SetMSRFilter     = ioWrite | unsafe.Sizeof(msrFilter{})<<16 | ioKVM | 0xc6
	reqSetDeviceAttr       = ioWrite | unsafe.Sizeof(deviceAttr{})<<16 | ioKVM | 0xe1
	reqGetDeviceAttr       = ioWrite | unsafe.Sizeof(deviceAttr{})<<16 | ioKVM | 0xe2

	// Requests whose argument ends in an array of any length count only its header.
	cpuidHeader = 8
	msrsHeader  = 8
)

// ExitReason is why KVM_RUN returned. It mirrors the KVM_EXIT_ constants.
type ExitReason uint32

// The reasons that a machine without an interrupt controller can see.
const (
	ExitUnknown       ExitReason = 0
	ExitException     ExitReason = 1
	ExitIO            ExitReason = 2
	ExitDebug         ExitReason = 4
	ExitHLT           ExitReason = 5
	ExitMMIO          ExitReason = 6
	ExitIRQWindowOpen ExitReason = 7
	ExitShutdown      ExitReason = 8
	ExitFailEntry     ExitReason = 9
	ExitIntr          ExitReason = 10
	ExitInternalError ExitReason = 17
	ExitSystemEvent   ExitReason = 24
	ExitX86RDMSR      ExitReason = 29
	ExitX86WRMSR      ExitReason = 30
	ExitMemoryFault   ExitReason = 39
)

// String returns the kernel's name for the reason.
func (r ExitReason) String() string {
	if name, ok := exitNames[r]; ok {
		return name
	}
	return "KVM_EXIT_" + strconv.FormatUint(uint64(r), 10)
}

var exitNames = map[ExitReason]string{
	ExitUnknown:       "KVM_EXIT_UNKNOWN",
	ExitException:     "KVM_EXIT_EXCEPTION",
	ExitIO:            "KVM_EXIT_IO",
	ExitDebug:         "KVM_EXIT_DEBUG",
	ExitHLT:           "KVM_EXIT_HLT",
	ExitMMIO:          "KVM_EXIT_MMIO",
	ExitIRQWindowOpen: "KVM_EXIT_IRQ_WINDOW_OPEN",
	ExitShutdown:      "KVM_EXIT_SHUTDOWN",
	ExitFailEntry:     "KVM_EXIT_FAIL_ENTRY",
	ExitIntr:          "KVM_EXIT_INTR",
	ExitInternalError: "KVM_EXIT_INTERNAL_ERROR",
	ExitSystemEvent:   "KVM_EXIT_SYSTEM_EVENT",
	ExitX86RDMSR:      "KVM_EXIT_X86_RDMSR",
	ExitX86WRMSR:      "KVM_EXIT_X86_WRMSR",
	ExitMemoryFault:   "KVM_EXIT_MEMORY_FAULT",
}

// Attribute of a virtual CPU: the offset of its time stamp counter from the
// host's (KVM_VCPU_TSC_CTRL, KVM_VCPU_TSC_OFFSET).
const (
	attrGroupTSC  = 0
	attrTSCOffset = 0
)

// Bits of the MSR filter.
const (
	msrFilterRead        = 1
	msrFilterWrite       = 2
	msrFilterDefaultDeny = 1
)
