package kvm

// HostCPUID executes CPUID on this host.
func HostCPUID(function, index uint32) CPUIDEntry {
	e := CPUIDEntry{Function: function, Index: index}
	e.EAX, e.EBX, e.ECX, e.EDX = hostCPUID(function, index)
	return e
}

func hostCPUID(function, index uint32) (eax, ebx, ecx, edx uint32)
