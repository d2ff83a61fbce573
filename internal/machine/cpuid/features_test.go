package cpuid

import (
	"slices"
	"testing"

	"github.com/airlockvm/airlock/internal/kvm"
)

func TestFeatures(t *testing.T) {
	intel := []kvm.CPUIDEntry{
		{Function: leafFeatures, ECX: 1<<28 | 1<<12 | ecxOSXSAVE | ecxHypervisor, EDX: 1<<26 | 1},
		{Function: leafExtended, Flags: kvm.CPUIDSignificantIndex, EBX: 1<<16 | 1<<4, EDX: 1<<4 | 1<<31 | 1<<26},
		{Function: leafExtended, Index: 1, Flags: kvm.CPUIDSignificantIndex, EAX: 1 << 4},
		{Function: leafXSave, Flags: kvm.CPUIDSignificantIndex, EAX: 0xe7},
		{Function: leafXSave, Index: 2, Flags: kvm.CPUIDSignificantIndex, EAX: 256, EBX: 576},
		{Function: leafXSave, Index: 5, Flags: kvm.CPUIDSignificantIndex, EAX: 64, EBX: 1088},
		{Function: leafXSave, Index: 9, Flags: kvm.CPUIDSignificantIndex, EAX: 8, EBX: 2688},
		{Function: leafAMDFeatures, ECX: 1, EDX: 1 << 29},
	}
	table := kvm.NewCPUIDTable(intel)
	got := Features(table)
	want := []string{"avx", "avx512f", "avx_vnni", "cpuid.7.0.ebx.4", "fma", "fpu", "fsrm", "lahf_lm", "lm", "sse2"}
	if !slices.Equal(got, want) {
		t.Errorf("Features() = %q, want %q", got, want)
	}
	if got, want := Places(table), []Place{{2, 576, 256}, {5, 1088, 64}}; !slices.Equal(got, want) {
		t.Errorf("Places() = %v, want %v", got, want)
	}
	// AMD repeats leaf 1, and that is no other feature.
	amd := slices.Clone(intel)
	amd[len(amd)-1].EDX |= 0x0183f3ff
	if got := Features(kvm.NewCPUIDTable(amd)); !slices.Equal(got, want) {
		t.Errorf("Features() of AMD = %q, want %q", got, want)
	}
	if got := Features(kvm.NewCPUIDTable(nil)); got != nil {
		t.Errorf("Features() of nothing = %q", got)
	}
}

// TestFeatureNames demands that no two bits have one name, nor an ignored bit any.
func TestFeatureNames(t *testing.T) {
	seen := map[string]bool{}
	for i := range featureRegisters {
		r := &featureRegisters[i]
		for bit := range 32 {
			if r.ignored>>bit&1 != 0 {
				if name, ok := r.names[bit]; ok {
					t.Errorf("%s is ignored", name)
				}
				continue
			}
			if name := r.name(bit); seen[name] {
				t.Errorf("two bits are called %s", name)
			} else {
				seen[name] = true
			}
		}
	}
}
