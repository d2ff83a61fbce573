package kvm

// TSC reads the time stamp counter, the clock that host and guest share.
func TSC() uint64

// HostCPUID executes CPUID on this host.
func HostCPUID(function, index uint32) CPUIDEntry {
	e := CPUIDEntry{Function: function, Index: index}
	e.EAX, e.EBX, e.ECX, e.EDX = hostCPUID(function, index)
	return e
}

func hostCPUID(function, index uint32) (eax, ebx, ecx, edx uint32)
