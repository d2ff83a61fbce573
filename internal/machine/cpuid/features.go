package cpuid

import (
	"fmt"
	"math/bits"
	"slices"

	"github.com/airlockvm/airlock/internal/kvm"
)

// The leaves whose registers have a bit for each feature.
const (
	leafAMDPower  = 0x80000007
	leafAMDFeats2 = 0x80000021
)

// A register of CPUID.
const (
	inEAX = iota
	inEBX
	inECX
	inEDX
)

// featureRegister is a register of CPUID with a bit for each feature, and what
// the bits are called, as in /proc/cpuinfo where that has them. Those without a
// name are called by where they are. Ignored are the bits that tell a program
// nothing that it could rely on.
type featureRegister struct {
	function, index uint32
	register        int
	ignored         uint32
	names           map[int]string
}

// ignoredSpeculation are bits of leaf 7 for the kernel's work against speculative
// execution: they come and go with microcode, and what they offer are
// model-specific registers, which guests don't have.
const ignoredSpeculation = 1<<9 | 1<<10 | 1<<26 | 1<<27 | 1<<28 | 1<<29 | 1<<30 | 1<<31

var featureRegisters = []featureRegister{
	{leafFeatures, 0, inECX, ecxHypervisor | ecxOSXSAVE, map[int]string{
		0: "sse3", 1: "pclmulqdq", 9: "ssse3", 12: "fma", 13: "cx16", 19: "sse4_1", 20: "sse4_2", 22: "movbe",
		23: "popcnt", 25: "aes", 26: "xsave", 28: "avx", 29: "f16c", 30: "rdrand",
	}},
	{leafFeatures, 0, inEDX, 0, map[int]string{
		0: "fpu", 1: "vme", 2: "de", 3: "pse", 4: "tsc", 5: "msr", 6: "pae", 8: "cx8", 11: "sep", 13: "pge", 15: "cmov",
		16: "pat", 17: "pse36", 19: "clflush", 23: "mmx", 24: "fxsr", 25: "sse", 26: "sse2", 27: "ss",
	}},
	{leafExtended, 0, inEBX, 0, map[int]string{
		0: "fsgsbase", 3: "bmi1", 5: "avx2", 6: "fdp_excptn_only", 7: "smep", 8: "bmi2", 9: "erms", 13: "zero_fcs_fds",
		16: "avx512f", 17: "avx512dq", 18: "rdseed", 19: "adx", 20: "smap", 21: "avx512ifma", 23: "clflushopt", 24: "clwb",
		26: "avx512pf", 27: "avx512er", 28: "avx512cd", 29: "sha_ni", 30: "avx512bw", 31: "avx512vl",
	}},
	{leafExtended, 0, inECX, 0, map[int]string{
		1: "avx512vbmi", 2: "umip", 6: "avx512_vbmi2", 8: "gfni", 9: "vaes", 10: "vpclmulqdq", 11: "avx512_vnni",
		12: "avx512_bitalg", 14: "avx512_vpopcntdq", 22: "rdpid", 25: "cldemote", 27: "movdiri", 28: "movdir64b",
	}},
	{leafExtended, 0, inEDX, ignoredSpeculation, map[int]string{
		2: "avx512_4vnniw", 3: "avx512_4fmaps", 4: "fsrm", 8: "avx512_vp2intersect", 14: "serialize", 16: "tsxldtrk", 23: "avx512_fp16",
	}},
	{leafExtended, 1, inEAX, 0, map[int]string{
		0: "sha512", 1: "sm3", 2: "sm4", 4: "avx_vnni", 5: "avx512_bf16", 7: "cmpccxadd", 10: "fzrm", 11: "fsrs", 12: "fsrc",
		22: "hreset", 23: "avx_ifma", 26: "lam", 31: "movrs",
	}},
	{leafExtended, 1, inEDX, 0, map[int]string{4: "avx_vnni_int8", 5: "avx_ne_convert", 10: "avx_vnni_int16", 14: "prefetchi"}},
	{leafXSave, 1, inEAX, 0, map[int]string{0: "xsaveopt", 1: "xsavec", 2: "xgetbv1"}},
	{leafAMDFeatures, 0, inECX, 0, map[int]string{
		0: "lahf_lm", 4: "cr8_legacy", 5: "abm", 6: "sse4a", 7: "misalignsse", 8: "3dnowprefetch", 9: "osvw", 11: "xop",
		16: "fma4", 21: "tbm", 26: "bpext",
	}},
	// AMD repeats most of leaf 1 here, Intel doesn't.
	{leafAMDFeatures, 0, inEDX, amdRepeated, map[int]string{
		11: "syscall", 20: "nx", 22: "mmxext", 25: "fxsr_opt", 26: "pdpe1gb", 27: "rdtscp", 29: "lm", 30: "3dnowext", 31: "3dnow",
	}},
	{leafAMDPower, 0, inEDX, 0, map[int]string{8: "constant_tsc"}},
	// The rest of these two is for kernels.
	{leafSizes, 0, inEBX, ^uint32(1<<0 | 1<<2 | 1<<4 | 1<<9), map[int]string{0: "clzero", 2: "xsaveerptr", 4: "rdpru", 9: "wbnoinvd"}},
	{leafAMDFeats2, 0, inEAX, ^uint32(1 << 2), map[int]string{2: "lfence_rdtsc"}},
}

const amdRepeated = 0x0183f3ff

// Features returns the names of the features that a guest with this table is
// shown, sorted: what its program may rely on after it has asked CPUID.
func Features(t *kvm.CPUIDTable) []string {
	var list []string
	for i := range featureRegisters {
		r := &featureRegisters[i]
		e, _ := t.Find(r.function, r.index)
		for set := [...]uint32{e.EAX, e.EBX, e.ECX, e.EDX}[r.register] &^ r.ignored; set != 0; set &= set - 1 {
			list = append(list, r.name(bits.TrailingZeros32(set)))
		}
	}
	slices.Sort(list)
	return list
}

func (r *featureRegister) name(bit int) string {
	if name, ok := r.names[bit]; ok {
		return name
	}
	return fmt.Sprintf("cpuid.%x.%x.%s.%d", r.function, r.index, [...]string{"eax", "ebx", "ecx", "edx"}[r.register], bit)
}

// Place is where a component of the extended state lies in the area of XSAVE.
type Place struct{ Number, Offset, Size uint32 }

// Places returns the components of XCR0 that have no fixed place, in order.
func Places(t *kvm.CPUIDTable) []Place {
	var list []Place
	xcr0 := GuestXCR0(t)
	for n := uint32(2); n < 64; n++ {
		if e, ok := t.Find(leafXSave, n); ok && xcr0>>n&1 != 0 {
			list = append(list, Place{n, e.EBX, e.EAX})
		}
	}
	return list
}
