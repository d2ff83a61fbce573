package kvm

import "strconv"

// Capability is something that a kernel may offer. It mirrors the KVM_CAP_
// constants.
type Capability uint32

// The capabilities that Airlock uses or reports.
const (
	CapUserMemory       Capability = 3
	CapSetTSSAddr       Capability = 4
	CapExtCPUID         Capability = 7
	CapNRMemslots       Capability = 10
	CapSyncMMU          Capability = 16
	CapVCPUEvents       Capability = 41
	CapDebugRegs        Capability = 50
	CapXSave            Capability = 55
	CapXCRS             Capability = 56
	CapGetTSCKHz        Capability = 61
	CapSyncRegs         Capability = 74
	CapReadonlyMem      Capability = 81
	CapVCPUAttributes   Capability = 127
	CapImmediateExit    Capability = 136
	CapDirtyLogProtect2 Capability = 168
	CapX86UserSpaceMSR  Capability = 188
	CapX86MSRFilter     Capability = 189
	CapDirtyLogRing     Capability = 192
	CapXSave2           Capability = 208
	CapTripleFaultEvent Capability = 218
	CapUserMemory2      Capability = 231
	CapGuestMemfd       Capability = 234
	CapPreFaultMemory   Capability = 236
)

var (
	// requiredCapabilities are those without which no machine can be made. All are
	// in kernels since 5.16.
	requiredCapabilities = []Capability{
		CapUserMemory, CapExtCPUID, CapSyncMMU, CapVCPUEvents, CapDebugRegs, CapXSave, CapXCRS,
		CapGetTSCKHz, CapSyncRegs, CapVCPUAttributes, CapImmediateExit, CapX86MSRFilter, CapDirtyLogProtect2,
	}

	// optionalCapabilities are those that the doctor reports because later parts of
	// Airlock gain from them.
	optionalCapabilities = []Capability{
		CapSetTSSAddr, CapNRMemslots, CapReadonlyMem,
		CapX86UserSpaceMSR, CapDirtyLogRing, CapXSave2, CapTripleFaultEvent, CapUserMemory2, CapGuestMemfd, CapPreFaultMemory,
	}

	capabilityNames = map[Capability]string{
		CapUserMemory:       "KVM_CAP_USER_MEMORY",
		CapSetTSSAddr:       "KVM_CAP_SET_TSS_ADDR",
		CapExtCPUID:         "KVM_CAP_EXT_CPUID",
		CapNRMemslots:       "KVM_CAP_NR_MEMSLOTS",
		CapSyncMMU:          "KVM_CAP_SYNC_MMU",
		CapVCPUEvents:       "KVM_CAP_VCPU_EVENTS",
		CapDebugRegs:        "KVM_CAP_DEBUGREGS",
		CapXSave:            "KVM_CAP_XSAVE",
		CapXCRS:             "KVM_CAP_XCRS",
		CapGetTSCKHz:        "KVM_CAP_GET_TSC_KHZ",
		CapSyncRegs:         "KVM_CAP_SYNC_REGS",
		CapReadonlyMem:      "KVM_CAP_READONLY_MEM",
		CapVCPUAttributes:   "KVM_CAP_VCPU_ATTRIBUTES",
		CapImmediateExit:    "KVM_CAP_IMMEDIATE_EXIT",
		CapDirtyLogProtect2: "KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2",
		CapX86UserSpaceMSR:  "KVM_CAP_X86_USER_SPACE_MSR",
		CapX86MSRFilter:     "KVM_CAP_X86_MSR_FILTER",
		CapDirtyLogRing:     "KVM_CAP_DIRTY_LOG_RING",
		CapXSave2:           "KVM_CAP_XSAVE2",
		CapTripleFaultEvent: "KVM_CAP_X86_TRIPLE_FAULT_EVENT",
		CapUserMemory2:      "KVM_CAP_USER_MEMORY2",
		CapGuestMemfd:       "KVM_CAP_GUEST_MEMFD",
		CapPreFaultMemory:   "KVM_CAP_PRE_FAULT_MEMORY",
	}
)

// String returns the kernel's name for the capability.
func (c Capability) String() string {
	if name, ok := capabilityNames[c]; ok {
		return name
	}
	return "KVM_CAP_" + strconv.FormatUint(uint64(c), 10)
}
