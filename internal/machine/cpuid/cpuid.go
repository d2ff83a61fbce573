// Package cpuid decides what CPUID answers in a guest. It is pure: a table in,
// a table out.
//
// A guest sees the host's processor without what it can't use (virtualisation,
// performance counters, power states), what the host side would have to manage
// for it (AMX, protection keys, CET), and what tells about the host's layout:
// every guest has one processor.
package cpuid

import (
	"fmt"
	"slices"
	"strings"

	"github.com/airlockvm/airlock/internal/kvm"
)

// Leaves that are changed on their way to the guest.
const (
	leafBasic       = 0x0
	leafFeatures    = 0x1
	leafCache       = 0x4
	leafExtended    = 0x7
	leafXSave       = 0xd
	leafAMDBasic    = 0x80000000
	leafAMDFeatures = 0x80000001
	leafSizes       = 0x80000008
	leafAMDCache    = 0x8000001d
)

// passed are the leaves that a guest may see, some changed. A leaf that isn't
// in a guest's table reads as zero. Not here, and thereby hidden: MONITOR (5),
// power (6), performance counters (0xa, 0x80000022), topology (0xb, 0x1f,
// 0x8000001e, 0x80000026), resource control, SGX, processor trace, tiles, key
// locker, the hypervisor's own leaves (0x40000000 and up), SVM (0x8000000a),
// instruction sampling and memory encryption.
var passed = []uint32{
	leafBasic, leafFeatures, 0x2, leafCache, leafExtended, leafXSave,
	leafAMDBasic, leafAMDFeatures, 0x80000002, 0x80000003, 0x80000004, 0x80000005, 0x80000006,
	0x80000007, leafSizes, 0x80000019, 0x8000001a, leafAMDCache, 0x80000021,
}

// Bits of leaf 1.
const (
	ecxMonitor     = 1 << 3
	ecxVMX         = 1 << 5
	ecxSMX         = 1 << 6
	ecxEIST        = 1 << 7
	ecxTM2         = 1 << 8
	ecxPDCM        = 1 << 15
	ecxPCID        = 1 << 17
	ecxX2APIC      = 1 << 21
	ecxTSCDeadline = 1 << 24
	ecxXSAVE       = 1 << 26
	ecxOSXSAVE     = 1 << 27
	ecxAVX         = 1 << 28
	ecxHypervisor  = 1 << 31

	edxMCE  = 1 << 7
	edxMCA  = 1 << 14
	edxMTRR = 1 << 12
	edxAPIC = 1 << 9
	edxDS   = 1 << 21
	edxACPI = 1 << 22
	edxHTT  = 1 << 28
	edxTM   = 1 << 29
)

// Bits of leaf 7, subleaf 0.
const (
	ebxTSCAdjust = 1 << 1
	ebxSGX       = 1 << 2
	ebxHLE       = 1 << 4
	ebxINVPCID   = 1 << 10
	ebxRTM       = 1 << 11
	ebxPQM       = 1 << 12
	ebxMPX       = 1 << 14
	ebxPQE       = 1 << 15
	ebxAVX512F   = 1 << 16
	ebxPT        = 1 << 25

	ebxFSGSBASE = 1 << 0

	ecxPKU      = 1 << 3
	ecxOSPKE    = 1 << 4
	ecxWAITPKG  = 1 << 5
	ecxSHSTK    = 1 << 7
	ecxLA57     = 1 << 16
	ecxKL       = 1 << 23
	ecxBusLock  = 1 << 24
	ecxENQCMD   = 1 << 29
	ecxSGXLC    = 1 << 30
	ecxPKS      = 1 << 31
	edxUINTR    = 1 << 5
	edxRTMAbort = 1 << 11
	edxPCONFIG  = 1 << 18
	edxArchLBR  = 1 << 19
	edxIBT      = 1 << 20
	edxAMXBF16  = 1 << 22
	edxAMXTile  = 1 << 24
	edxAMXInt8  = 1 << 25
)

// Bits of leaf 7, subleaf 1.
const (
	eaxAMXFP16    = 1 << 21
	edx1AMXCmplx  = 1 << 8
	eaxFRED       = 1 << 17
	eaxLKGS       = 1 << 18
	edx1CETSSS    = 1 << 18
	edx1UserMSR   = 1 << 15
	edx1AVX10     = 1 << 19
	edx1APX       = 1 << 21
	eaxArchPerfEx = 1 << 8
)

// Bits of leaf 0x80000001.
const (
	ecxAMDCmpLegacy = 1 << 1
	ecxAMDSVM       = 1 << 2
	ecxAMDExtAPIC   = 1 << 3
	ecxAMDIBS       = 1 << 10
	ecxAMDSKINIT    = 1 << 12
	ecxAMDWDT       = 1 << 13
	ecxAMDLWP       = 1 << 15
	ecxAMDNodeID    = 1 << 19
	ecxAMDTopoExt   = 1 << 22
	ecxAMDPerfCore  = 1 << 23
	ecxAMDPerfNB    = 1 << 24
	ecxAMDPerfTSC   = 1 << 27
	ecxAMDPerfLLC   = 1 << 28
	ecxAMDMONITORX  = 1 << 29
)

// XCR0 components: x87, SSE, AVX, and the three of AVX-512.
const (
	xcr0X87SSE = 0x3
	xcr0AVX    = 0x4
	xcr0AVX512 = 0xe0
)

// Filter returns what a guest sees of what the host's KVM supports, or an error
// if that isn't enough for any guest.
func Filter(supported []kvm.CPUIDEntry) ([]kvm.CPUIDEntry, error) {
	if missing := Missing(supported); len(missing) > 0 {
		return nil, fmt.Errorf("%w: the processor, or what KVM passes on of it, lacks %s",
			kvm.ErrNotAvailable, strings.Join(missing, " and "))
	}
	xcr0 := XCR0(supported)
	var out []kvm.CPUIDEntry
	for _, e := range supported {
		if keep(&e, xcr0) && e.EAX|e.EBX|e.ECX|e.EDX != 0 {
			out = append(out, e)
		}
	}
	limitLast(out, leafBasic)
	limitLast(out, leafAMDBasic)
	return slices.Clip(out), nil
}

// limitLast corrects the number of the last leaf in a family, so that it does
// not promise leaves that were dropped.
func limitLast(out []kvm.CPUIDEntry, family uint32) {
	last := family
	for _, e := range out {
		if e.Function >= family && e.Function-family < 0x10000 {
			last = max(last, e.Function)
		}
	}
	for i := range out {
		if out[i].Function == family {
			out[i].EAX = min(out[i].EAX, last)
		}
	}
}

// keep changes a leaf to what the guest may see, or returns false to hide it.
func keep(e *kvm.CPUIDEntry, xcr0 uint64) bool {
	if !slices.Contains(passed, e.Function) {
		return false
	}
	switch e.Function {
	case leafFeatures:
		features(e)
	case leafCache, leafAMDCache:
		// Bits 14 to 25: logical processors that share the cache, less one; above, in
		// leaf 4, cores in the package, less one.
		e.EAX &= 0x3fff
	case leafExtended:
		extended(e)
	case leafXSave:
		return xsave(e, xcr0)
	case leafAMDFeatures:
		e.ECX &^= ecxAMDCmpLegacy | ecxAMDSVM | ecxAMDExtAPIC | ecxAMDIBS | ecxAMDSKINIT | ecxAMDWDT | ecxAMDLWP |
			ecxAMDNodeID | ecxAMDTopoExt | ecxAMDPerfCore | ecxAMDPerfNB | ecxAMDPerfTSC | ecxAMDPerfLLC | ecxAMDMONITORX
	case leafSizes:
		e.ECX = 0 // threads of the package less one, and size of the APIC id
	}
	return true
}

func features(e *kvm.CPUIDEntry) {
	e.EBX = e.EBX&0xffff | 1<<16 // brand, CLFLUSH size, one logical processor, APIC id 0
	e.ECX &^= ecxMonitor | ecxVMX | ecxSMX | ecxEIST | ecxTM2 | ecxPDCM | ecxPCID | ecxX2APIC | ecxTSCDeadline
	e.ECX |= ecxHypervisor
	e.EDX &^= edxMCE | edxMCA | edxMTRR | edxAPIC | edxDS | edxACPI | edxHTT | edxTM
}

func extended(e *kvm.CPUIDEntry) {
	switch e.Index {
	case 0:
		e.EBX &^= ebxTSCAdjust | ebxSGX | ebxHLE | ebxINVPCID | ebxRTM | ebxPQM | ebxMPX | ebxPQE | ebxPT
		e.ECX &^= ecxPKU | ecxOSPKE | ecxWAITPKG | ecxSHSTK | ecxLA57 | ecxKL | ecxBusLock | ecxENQCMD | ecxSGXLC | ecxPKS
		e.EDX &^= edxUINTR | edxRTMAbort | edxPCONFIG | edxArchLBR | edxIBT | edxAMXBF16 | edxAMXTile | edxAMXInt8
	case 1:
		e.EAX &^= eaxAMXFP16 | eaxFRED | eaxLKGS | eaxArchPerfEx
		e.EDX &^= edx1AMXCmplx | edx1CETSSS | edx1UserMSR | edx1AVX10 | edx1APX
	}
}

// xsave keeps of leaf 0xd what describes the components of XCR0.
func xsave(e *kvm.CPUIDEntry, xcr0 uint64) bool {
	switch e.Index {
	case 0:
		e.EAX, e.EDX = uint32(xcr0), uint32(xcr0>>32) //nolint:gosec // G115: the halves of a register
	case 1:
		e.EAX &= 0x7 // XSAVEOPT, XSAVEC, XGETBV with ECX=1; no XSAVES, which is for ring 0
		e.EBX, e.ECX, e.EDX = 0, 0, 0
	default:
		return e.Index < 64 && xcr0>>e.Index&1 != 0
	}
	return true
}

// XCR0 returns the extended state that guests may use: x87 and SSE, AVX and
// AVX-512 where the host offers all of it. Nothing else: AMX is large and needs
// permission from the host's kernel, protection keys would need the guest's.
func XCR0(supported []kvm.CPUIDEntry) uint64 {
	var offered uint64
	var avx, avx512, xsaveBit bool
	for _, e := range supported {
		switch {
		case e.Function == leafFeatures:
			avx, xsaveBit = e.ECX&ecxAVX != 0, e.ECX&ecxXSAVE != 0
		case e.Function == leafExtended && e.Index == 0:
			avx512 = e.EBX&ebxAVX512F != 0
		case e.Function == leafXSave && e.Index == 0:
			offered = uint64(e.EDX)<<32 | uint64(e.EAX)
		}
	}
	switch {
	case !xsaveBit || offered&xcr0X87SSE != xcr0X87SSE:
		return 0
	case !avx || offered&xcr0AVX == 0:
		return xcr0X87SSE
	case !avx512 || offered&xcr0AVX512 != xcr0AVX512:
		return xcr0X87SSE | xcr0AVX
	}
	return xcr0X87SSE | xcr0AVX | xcr0AVX512
}

// GuestXCR0 returns the same from a table that Filter made.
func GuestXCR0(t *kvm.CPUIDTable) uint64 {
	e, _ := t.Find(leafXSave, 0)
	return uint64(e.EDX)<<32 | uint64(e.EAX)
}

// Missing names what a guest can't do without and the host's processor lacks.
func Missing(supported []kvm.CPUIDEntry) []string {
	var missing []string
	if XCR0(supported) == 0 {
		missing = append(missing, "XSAVE")
	}
	fsgsbase := slices.ContainsFunc(supported, func(e kvm.CPUIDEntry) bool {
		return e.Function == leafExtended && e.Index == 0 && e.EBX&ebxFSGSBASE != 0
	})
	if !fsgsbase {
		missing = append(missing, "FSGSBASE")
	}
	return missing
}
