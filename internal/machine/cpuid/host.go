package cpuid

import "github.com/airlockvm/airlock/internal/kvm"

// maxSubleaves is more than any of the passed leaves has.
const maxSubleaves = 64

// Native returns what there is to filter for guests of KVM-PVM.
//
// There, ring 3 of a guest runs natively on the host's processor, in the host's
// ring 3: what a program may use is what the processor has, while KVM's own
// list leaves out what its emulator of ring 0 could not do, XSAVE and AVX among
// them. So the leaves are those of the processor, which host reads; only which
// extended state can be switched on is for KVM to say.
func Native(supported []kvm.CPUIDEntry, host func(function, index uint32) kvm.CPUIDEntry) []kvm.CPUIDEntry {
	allowed := uint64(0)
	for _, e := range supported {
		if e.Function == leafXSave && e.Index == 0 {
			allowed = uint64(e.EDX)<<32 | uint64(e.EAX)
		}
	}
	var out []kvm.CPUIDEntry
	for _, function := range passed {
		if function > host(function&leafAMDBasic, 0).EAX {
			continue
		}
		e := host(function, 0)
		switch function {
		case leafCache, leafExtended, leafXSave, leafAMDCache:
			e.Flags = kvm.CPUIDSignificantIndex
		}
		if function == leafXSave {
			e.EAX &= uint32(allowed & 0xffffffff)
			e.EDX &= uint32(allowed >> 32)
		}
		out = append(out, e)
		if e.Flags == 0 {
			continue
		}
		for index := uint32(1); index < maxSubleaves && hasSubleaf(e, index); index++ {
			sub := host(function, index)
			sub.Flags = kvm.CPUIDSignificantIndex
			out = append(out, sub)
		}
	}
	return out
}

// hasSubleaf reports whether a leaf, whose subleaf 0 is e, may have another.
func hasSubleaf(e kvm.CPUIDEntry, index uint32) bool {
	switch e.Function {
	case leafExtended:
		return index <= e.EAX
	case leafXSave:
		return true
	}
	return index < 8 // caches: few, and the rest reads as none
}
