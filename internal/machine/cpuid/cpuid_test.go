package cpuid

import (
	"errors"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/kvm"
)

const ones = ^uint32(0)

// everything is a processor with every feature in every leaf.
func everything() []kvm.CPUIDEntry {
	var list []kvm.CPUIDEntry
	add := func(function, last uint32) {
		for f := function; f <= last; f++ {
			list = append(list, kvm.CPUIDEntry{Function: f, EAX: ones, EBX: ones, ECX: ones, EDX: ones})
		}
	}
	add(0, 0x24)
	add(0x40000000, 0x40000010)
	add(0x80000000, 0x80000028)
	for index := uint32(1); index < 64; index++ {
		for _, f := range []uint32{4, 7, 0xb, 0xd, 0x14, 0x1f, 0x8000001d} {
			list = append(list, kvm.CPUIDEntry{Function: f, Index: index, Flags: kvm.CPUIDSignificantIndex, EAX: ones, EBX: ones, ECX: ones, EDX: ones})
		}
	}
	for i := range list {
		switch list[i].Function {
		case 4, 7, 0xb, 0xd, 0x14, 0x1f, 0x8000001d:
			list[i].Flags = kvm.CPUIDSignificantIndex
		}
	}
	return list
}

func filtered(t *testing.T, supported []kvm.CPUIDEntry) *kvm.CPUIDTable {
	t.Helper()
	entries, err := Filter(supported)
	if err != nil {
		t.Fatal(err)
	}
	return kvm.NewCPUIDTable(entries)
}

func TestFilterHides(t *testing.T) {
	table := filtered(t, everything())
	hidden := []struct {
		name            string
		function, index uint32
		register        func(e kvm.CPUIDEntry) uint32
		bit             int
	}{
		{"MONITOR", 1, 0, ecx, 3},
		{"VMX", 1, 0, ecx, 5},
		{"SMX", 1, 0, ecx, 6},
		{"PDCM", 1, 0, ecx, 15},
		{"x2APIC", 1, 0, ecx, 21},
		{"TSC deadline", 1, 0, ecx, 24},
		{"MCE", 1, 0, edx, 7},
		{"APIC", 1, 0, edx, 9},
		{"MCA", 1, 0, edx, 14},
		{"debug store", 1, 0, edx, 21},
		{"HTT", 1, 0, edx, 28},
		{"SGX", 7, 0, ebx, 2},
		{"HLE", 7, 0, ebx, 4},
		{"RTM", 7, 0, ebx, 11},
		{"MPX", 7, 0, ebx, 14},
		{"processor trace", 7, 0, ebx, 25},
		{"PKU", 7, 0, ecx, 3},
		{"OSPKE", 7, 0, ecx, 4},
		{"WAITPKG", 7, 0, ecx, 5},
		{"SHSTK", 7, 0, ecx, 7},
		{"LA57", 7, 0, ecx, 16},
		{"key locker", 7, 0, ecx, 23},
		{"PKS", 7, 0, ecx, 31},
		{"UINTR", 7, 0, edx, 5},
		{"IBT", 7, 0, edx, 20},
		{"AMX-BF16", 7, 0, edx, 22},
		{"AMX-TILE", 7, 0, edx, 24},
		{"AMX-INT8", 7, 0, edx, 25},
		{"AMX-FP16", 7, 1, eax, 21},
		{"FRED", 7, 1, eax, 17},
		{"AMX-COMPLEX", 7, 1, edx, 8},
		{"AVX10", 7, 1, edx, 19},
		{"APX", 7, 1, edx, 21},
		{"XSAVES", 0xd, 1, eax, 3},
		{"PKRU state", 0xd, 0, eax, 9},
		{"tile state", 0xd, 0, eax, 18},
		{"CmpLegacy", 0x80000001, 0, ecx, 1},
		{"SVM", 0x80000001, 0, ecx, 2},
		{"IBS", 0x80000001, 0, ecx, 10},
		{"SKINIT", 0x80000001, 0, ecx, 12},
		{"TopologyExtensions", 0x80000001, 0, ecx, 22},
		{"PerfCtrExtCore", 0x80000001, 0, ecx, 23},
		{"MONITORX", 0x80000001, 0, ecx, 29},
	}
	for _, h := range hidden {
		e, ok := table.Find(h.function, h.index)
		if !ok {
			t.Errorf("%s: leaf %#x.%d is missing altogether", h.name, h.function, h.index)
		}
		if h.register(e)>>h.bit&1 != 0 {
			t.Errorf("%s shows in leaf %#x.%d, bit %d", h.name, h.function, h.index, h.bit)
		}
	}
}

func TestFilterKeeps(t *testing.T) {
	table := filtered(t, everything())
	kept := []struct {
		name            string
		function, index uint32
		register        func(e kvm.CPUIDEntry) uint32
		bit             int
	}{
		{"SSE3", 1, 0, ecx, 0},
		{"CX16", 1, 0, ecx, 13},
		{"POPCNT", 1, 0, ecx, 23},
		{"AES", 1, 0, ecx, 25},
		{"XSAVE", 1, 0, ecx, 26},
		{"AVX", 1, 0, ecx, 28},
		{"hypervisor", 1, 0, ecx, 31},
		{"TSC", 1, 0, edx, 4},
		{"SSE2", 1, 0, edx, 26},
		{"FSGSBASE", 7, 0, ebx, 0},
		{"AVX2", 7, 0, ebx, 5},
		{"ERMS", 7, 0, ebx, 9},
		{"AVX512F", 7, 0, ebx, 16},
		{"SHA", 7, 0, ebx, 29},
		{"RDPID", 7, 0, ecx, 22},
		{"XSAVEC", 0xd, 1, eax, 1},
		{"AVX state", 0xd, 0, eax, 2},
		{"SYSCALL", 0x80000001, 0, edx, 11},
		{"NX", 0x80000001, 0, edx, 20},
		{"invariant TSC", 0x80000007, 0, edx, 8},
	}
	for _, k := range kept {
		if e, _ := table.Find(k.function, k.index); k.register(e)>>k.bit&1 == 0 {
			t.Errorf("%s does not show in leaf %#x.%d, bit %d", k.name, k.function, k.index, k.bit)
		}
	}
}

func eax(e kvm.CPUIDEntry) uint32 { return e.EAX }
func ebx(e kvm.CPUIDEntry) uint32 { return e.EBX }
func ecx(e kvm.CPUIDEntry) uint32 { return e.ECX }
func edx(e kvm.CPUIDEntry) uint32 { return e.EDX }

func TestFilterDropsLeaves(t *testing.T) {
	table := filtered(t, everything())
	for _, f := range []uint32{
		5, 6, 0xa, 0xb, 0xf, 0x10, 0x12, 0x14, 0x19, 0x1d, 0x1f, 0x24,
		0x40000000, 0x40000001, 0x8000000a, 0x8000001b, 0x8000001e, 0x8000001f, 0x80000022, 0x80000026,
	} {
		if e, ok := table.Find(f, 0); ok {
			t.Errorf("leaf %#x shows: %+v", f, e)
		}
	}
	for _, family := range []struct{ leaf, last uint32 }{{0, 0xd}, {0x80000000, 0x80000021}} {
		if e, _ := table.Find(family.leaf, 0); e.EAX != family.last {
			t.Errorf("leaf %#x names %#x as the last one, want %#x", family.leaf, e.EAX, family.last)
		}
	}
	for index := uint32(2); index < 64; index++ {
		_, ok := table.Find(leafXSave, index)
		if want := uint64(0xe7)>>index&1 != 0; ok != want {
			t.Errorf("leaf 0xd.%d shows: %v", index, ok)
		}
	}
}

func TestFilterTopology(t *testing.T) {
	table := filtered(t, everything())
	e, _ := table.Find(1, 0)
	if count, id := e.EBX>>16&0xff, e.EBX>>24; count != 1 || id != 0 {
		t.Errorf("%d logical processors, APIC id %d", count, id)
	}
	for _, leaf := range []uint32{4, 0x8000001d} {
		if e, _ := table.Find(leaf, 0); e.EAX>>14 != 0 {
			t.Errorf("leaf %#x: a cache is shared: %#x", leaf, e.EAX)
		}
	}
	if e, _ := table.Find(0x80000008, 0); e.ECX != 0 {
		t.Errorf("leaf 0x80000008: ECX %#x", e.ECX)
	}
}

func TestXCR0(t *testing.T) {
	cpu := func(ecx1, ebx7, eaxD uint32) []kvm.CPUIDEntry {
		return []kvm.CPUIDEntry{
			{Function: 1, ECX: ecx1},
			{Function: 7, EBX: ebx7},
			{Function: 7, Index: 1, EBX: ones},
			{Function: 0xd, EAX: eaxD},
			{Function: 0xd, Index: 1, EAX: ones},
		}
	}
	tests := []struct {
		name    string
		entries []kvm.CPUIDEntry
		want    uint64
	}{
		{"nothing", nil, 0},
		{"no XSAVE", cpu(ecxAVX, 0, 0xe7), 0},
		{"no SSE state", cpu(ecxXSAVE, 0, 1), 0},
		{"SSE only", cpu(ecxXSAVE, 0, 3), 3},
		{"AVX without its state", cpu(ecxXSAVE|ecxAVX, 0, 3), 3},
		{"state without AVX", cpu(ecxXSAVE, 0, 7), 3},
		{"AVX", cpu(ecxXSAVE|ecxAVX, 0, 7), 7},
		{"AVX-512", cpu(ecxXSAVE|ecxAVX, ebxAVX512F, 0xe7), 0xe7},
		{"AVX-512 state without the instructions", cpu(ecxXSAVE|ecxAVX, 0, 0xe7), 7},
		{"half of the AVX-512 state", cpu(ecxXSAVE|ecxAVX, ebxAVX512F, 0x27), 7},
		{"AVX-512 without AVX", cpu(ecxXSAVE, ebxAVX512F, 0xe7), 3},
		{"AMX and PKRU", cpu(ecxXSAVE|ecxAVX, ebxAVX512F, 0x602e7), 0xe7},
	}
	for _, test := range tests {
		if got := XCR0(test.entries); got != test.want {
			t.Errorf("%s: XCR0() = %#x, want %#x", test.name, got, test.want)
		}
	}
	if got := GuestXCR0(filtered(t, everything())); got != 0xe7 {
		t.Errorf("GuestXCR0() = %#x", got)
	}
}

func TestMissing(t *testing.T) {
	_, err := Filter(nil)
	if !errors.Is(err, kvm.ErrNotAvailable) || !strings.Contains(err.Error(), "XSAVE and FSGSBASE") {
		t.Errorf("Filter(nil) = %v", err)
	}
}

func TestNative(t *testing.T) {
	host := func(function, index uint32) kvm.CPUIDEntry {
		e := kvm.CPUIDEntry{Function: function, Index: index, EAX: ones, EBX: ones, ECX: ones, EDX: ones}
		switch {
		case function&0xffff == 0:
			e.EAX = function + 0x20
		case function == 7 && index == 0:
			e.EAX = 1 // one more subleaf
		}
		return e
	}
	supported := []kvm.CPUIDEntry{{Function: leafXSave, EAX: 0x7}}
	native := Native(supported, host)
	table := filtered(t, native)
	if got := GuestXCR0(table); got != 7 {
		t.Errorf("XCR0 = %#x: more than KVM supports", got)
	}
	if e, _ := table.Find(1, 0); e.ECX&ecxAVX == 0 || e.ECX&ecxVMX != 0 {
		t.Errorf("leaf 1 ECX = %#x", e.ECX)
	}
	if _, ok := table.Find(7, 1); !ok {
		t.Error("no leaf 7.1")
	}
	if _, ok := table.Find(7, 2); ok {
		t.Error("leaf 7.2")
	}
	if _, ok := table.Find(0x80000021, 0); ok {
		t.Error("a leaf behind the host's last")
	}
	if len(native) > kvm.MaxCPUID {
		t.Errorf("%d entries", len(native))
	}
}
