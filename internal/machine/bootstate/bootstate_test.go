package bootstate

import (
	"slices"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
)

func params() Params {
	return Params{
		Kernel: abi.KernelInfo{
			Stack: abi.KernelBase + 0x9000, SyscallStub: abi.KernelBase + 0x1800,
			GDT: abi.KernelBase + 0x100, IDT: abi.KernelBase + 0x200, TSS: abi.KernelBase + 0x4000,
			GDTLimit: 0x4f, IDTLimit: 0xfff, TSSLimit: 0x2068,
		},
		Entry:     abi.KernelBase + 0x1000,
		PageTable: 0x5000,
		XCR0:      0xe7,
	}
}

func TestBootStatePasses(t *testing.T) {
	for _, xcr0 := range []uint64{3, 7, 0xe7} {
		p := params()
		p.XCR0 = xcr0
		s := New(p)
		for _, r := range Violations(&s) {
			t.Errorf("XCR0 %#x: %v", xcr0, r)
		}
	}
}

func TestBootState(t *testing.T) {
	s := New(params())
	if s.Regs.RIP != params().Entry || s.Regs.RSP != params().Kernel.Stack {
		t.Errorf("it starts at %#x with stack %#x", s.Regs.RIP, s.Regs.RSP)
	}
	if cpl := s.Sregs.CS.Selector & 3; cpl != 3 {
		t.Errorf("it starts in ring %d", cpl)
	}
	// SYSRET's selectors are derived as the manuals say, though nobody uses it.
	star := msr(&s, msrSTAR)
	if cs, ss := star>>48+16, star>>48+8; cs != abi.UserCS || ss != abi.UserSS {
		t.Errorf("STAR gives SYSRET selectors %#x and %#x", cs, ss)
	}
	if cs := star >> 32 & 0xffff; cs != abi.Ring0CS || cs+8 != abi.Ring0SS {
		t.Errorf("STAR gives SYSCALL selector %#x", cs)
	}
}

// TestViolations breaks the boot state in one way a row and expects just the
// rules that are named.
func TestViolations(t *testing.T) {
	covered := make(map[string]bool)
	for _, row := range append(slices.Clone(spoiledRegisters), spoiledSegments...) {
		t.Run(row.name, func(t *testing.T) {
			s := New(params())
			row.spoil(&s)
			var got []string
			for _, r := range Violations(&s) {
				got = append(got, r.Name)
				covered[r.Name] = true
			}
			want := slices.Clone(row.want)
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("violates %q, want %q", got, want)
			}
		})
	}
	for _, list := range [][]Rule{controlRules, segmentRules, taskRules, flagRules, registerRules} {
		for _, r := range list {
			if !covered[r.Name] {
				t.Errorf("no row violates %v", r)
			}
		}
	}
}

// spoiled is the boot state with one thing changed, and the rules that this
// breaks.
type spoiled struct {
	name  string
	spoil func(s *State)
	want  []string
}

var flat = kvm.Segment{Limit: 0xffffffff, Present: 1, DPL: 3, S: 1, G: 1, Type: typeData, Selector: abi.UserSS}

var spoiledRegisters = []spoiled{
	{"no NE", func(s *State) { s.Sregs.CR0 &^= cr0NE }, []string{"cr0-fixed"}},
	{"CR0 bit 6", func(s *State) { s.Sregs.CR0 |= 1 << 6 }, []string{"cr0-reserved"}},
	{"CR0 bit 40", func(s *State) { s.Sregs.CR0 |= 1 << 40 }, []string{"cr0-reserved"}},
	{"NW without CD", func(s *State) { s.Sregs.CR0 |= cr0NW }, []string{"cr0-nw"}},
	{"PG without PE", func(s *State) { s.Sregs.CR0 &^= cr0PE }, []string{"cr0-fixed", "cr0-pe", "efer-long"}},
	{"no paging", func(s *State) { s.Sregs.CR0 &^= cr0PG }, []string{"cr0-fixed", "cr4-pae"}},
	{"CR4.VMXE", func(s *State) { s.Sregs.CR4 |= 1 << 13 }, []string{"cr4-reserved"}},
	{"CR4.LA57", func(s *State) { s.Sregs.CR4 |= 1 << 12 }, []string{"cr4-reserved"}},
	{"CET without WP", func(s *State) { s.Sregs.CR4 |= cr4CET; s.Sregs.CR0 &^= cr0WP }, []string{"cr4-cet"}},
	{"no PAE", func(s *State) { s.Sregs.CR4 &^= cr4PAE }, []string{"cr4-pae", "efer-long"}},
	{"PCIDE without long mode", func(s *State) {
		s.Sregs.EFER &^= eferLMA | eferLME
		s.Sregs.CR4 |= cr4PCIDE
	}, []string{"cr4-pcide", "cs-long"}},
	{"CR3 bit 52", func(s *State) { s.Sregs.CR3 |= 1 << 52 }, []string{"cr3-width"}},
	{"CR3 PCD", func(s *State) { s.Sregs.CR3 |= 1 << 4 }, []string{"cr3-width"}},
	{"EFER bit 1", func(s *State) { s.Sregs.EFER |= 1 << 1 }, []string{"efer-reserved"}},
	{"EFER.SVME", func(s *State) { s.Sregs.EFER |= eferSVME }, []string{"efer-reserved"}},
	{"LMA without LME", func(s *State) { s.Sregs.EFER &^= eferLME }, []string{"efer-lma"}},
	{"LME without LMA", func(s *State) { s.Sregs.EFER &^= eferLMA }, []string{"efer-lma", "cs-long"}},
	{"RIP not canonical", func(s *State) { s.Regs.RIP = 1 << 47 }, []string{"rip-canonical"}},
	{"RFLAGS bit 15", func(s *State) { s.Regs.RFLAGS |= 1 << 15 }, []string{"rflags-reserved"}},
	{"RFLAGS bit 3", func(s *State) { s.Regs.RFLAGS |= 1 << 3 }, []string{"rflags-reserved"}},
	{"RFLAGS bit 22", func(s *State) { s.Regs.RFLAGS |= 1 << 22 }, []string{"rflags-reserved"}},
	{"RFLAGS 0", func(s *State) { s.Regs.RFLAGS = 0 }, []string{"rflags-one"}},
	{"RFLAGS.VM", func(s *State) { s.Regs.RFLAGS |= 1 << 17 }, []string{"rflags-vm"}},
	{"GDTR", func(s *State) { s.Sregs.GDT.Base = 1 << 63 }, []string{"gdtr-base"}},
	{"IDTR", func(s *State) { s.Sregs.IDT.Base = 1 << 63 }, []string{"idtr-base"}},
	{"LSTAR", func(s *State) { s.MSRs[1].Data = 1 << 47 }, []string{"msr-canonical"}},
	{"XCR0 0", func(s *State) { s.XCR0 = 0 }, []string{"xcr0-x87"}},
	{"AVX-512 without AVX", func(s *State) { s.XCR0 = 0xe3 }, []string{"xcr0-avx512"}},
	{"half of AVX-512", func(s *State) { s.XCR0 = 0x27 }, []string{"xcr0-avx512"}},
	{"AMX", func(s *State) { s.XCR0 |= 3 << 17 }, []string{"xcr0-reserved"}},
	{"no OSXSAVE", func(s *State) { s.Sregs.CR4 &^= cr4OSXSAVE }, []string{"xcr0-osxsave"}},
}

var spoiledSegments = []spoiled{
	{"CS not accessed", func(s *State) { s.Sregs.CS.Type = 10 }, []string{"cs-type"}},
	{"CS a system segment", func(s *State) { s.Sregs.CS.S = 0 }, []string{"cs-code"}},
	{"CS absent", func(s *State) { s.Sregs.CS.Present = 0 }, []string{"cs-present"}},
	{"CS.DPL 0", func(s *State) { s.Sregs.CS.DPL = 0 }, []string{"cs-dpl"}},
	{"CS conforming, DPL above SS", func(s *State) {
		s.Sregs.CS.Type = 15
		s.Sregs.SS.DPL, s.Sregs.SS.Selector, s.Sregs.CS.Selector = 2, 0x2a, 0x32
	}, []string{"cs-dpl"}},
	{"CS.D", func(s *State) { s.Sregs.CS.DB = 1 }, []string{"cs-db"}},
	{"CS.G 0", func(s *State) { s.Sregs.CS.G = 0 }, []string{"cs-granularity"}},
	{"CS limit", func(s *State) { s.Sregs.CS.Limit = 0xfffff000 }, []string{"cs-granularity"}},
	{"CS base", func(s *State) { s.Sregs.CS.Base = 1 << 32 }, []string{"cs-base"}},
	{"CS.L 0", func(s *State) { s.Sregs.CS.L = 0 }, []string{"cs-long"}},
	{"SS.RPL", func(s *State) { s.Sregs.SS.Selector = 0x28 }, []string{"ss-rpl", "ss-dpl"}},
	{"SS.DPL 0", func(s *State) { s.Sregs.SS.DPL = 0 }, []string{"cs-dpl", "ss-dpl"}},
	{"SS type", func(s *State) { s.Sregs.SS.Type = 1 }, []string{"ss-type"}},
	{"SS absent", func(s *State) { s.Sregs.SS.Present = 0 }, []string{"ss-type"}},
	{"SS limit", func(s *State) { s.Sregs.SS.Limit = 0xfffff }, nil},
	{"SS limit without G", func(s *State) { s.Sregs.SS.G = 0 }, []string{"ss-limits"}},
	{"SS base", func(s *State) { s.Sregs.SS.Base = 1 << 40 }, []string{"ss-limits"}},
	{"DS as SS", func(s *State) { s.Sregs.DS = flat }, nil},
	{"DS not accessed", func(s *State) { s.Sregs.DS = flat; s.Sregs.DS.Type = 2 }, []string{"data-type"}},
	{"ES code, not readable", func(s *State) { s.Sregs.ES = flat; s.Sregs.ES.Type = 9 }, []string{"data-type"}},
	{"FS absent", func(s *State) { s.Sregs.FS = flat; s.Sregs.FS.Present = 0 }, []string{"data-type"}},
	{"GS DPL", func(s *State) { s.Sregs.GS = flat; s.Sregs.GS.DPL = 0 }, []string{"data-dpl"}},
	{"DS granularity", func(s *State) { s.Sregs.DS = flat; s.Sregs.DS.G = 0 }, []string{"data-granularity"}},
	{"DS base", func(s *State) { s.Sregs.DS = flat; s.Sregs.DS.Base = 1 << 32 }, []string{"data-base"}},
	{"FS base", func(s *State) { s.Sregs.FS.Base = 1 << 47 }, []string{"data-base"}},
	{"TR in the LDT", func(s *State) { s.Sregs.TR.Selector |= 4 }, []string{"tr-ti"}},
	{"TR available", func(s *State) { s.Sregs.TR.Type = 9 }, []string{"tr-type"}},
	{"TR a segment", func(s *State) { s.Sregs.TR.S = 1 }, []string{"tr-type"}},
	{"TR absent", func(s *State) { s.Sregs.TR.Present = 0 }, []string{"tr-present"}},
	{"TR unusable", func(s *State) { s.Sregs.TR.Unusable = 1 }, []string{"tr-present"}},
	{"TR granularity", func(s *State) { s.Sregs.TR.G = 1 }, []string{"tr-granularity"}},
	{"TR base", func(s *State) { s.Sregs.TR.Base = 1 << 50 }, []string{"tr-base"}},
	{"LDTR", func(s *State) { s.Sregs.LDT.Unusable = 0 }, []string{"ldtr"}},
}
