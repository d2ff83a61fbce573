package bootstate

import (
	"fmt"

	"github.com/airlockvm/airlock/internal/kvm"
)

// Rule is something that a processor demands of the state of a guest when it
// enters it. One that does not hold makes the entry fail.
type Rule struct {
	// Name is short and unique.
	Name string
	// Source is where the rule is from: a section of a manual by its title, because
	// its number changes with every edition.
	Source string
	// Text is the rule, in the manual's words as far as possible.
	Text string

	holds func(s *State) bool
}

// Sources of rules. SDM is Intel's Software Developer's Manual, volume 3; APM is
// AMD's Architecture Programmer's Manual, volume 2.
const (
	sdmControl     = `SDM, "Checks on Guest Control Registers, Debug Registers, and MSRs"`
	sdmSegments    = `SDM, "Checks on Guest Segment Registers"`
	sdmDescriptors = `SDM, "Checks on Guest Descriptor-Table Registers"`
	sdmRIP         = `SDM, "Checks on Guest RIP, RSP, and RFLAGS"`
	sdmXSetBV      = `SDM volume 1, "Enabling the XSAVE Feature Set and XSAVE-Enabled Features"`
	apmChecks      = `APM, "Canonicalization and Consistency Checks"`
	wrmsrChecks    = `SDM volume 2, "WRMSR"`
)

// Violations returns the rules that the state breaks, of Intel's and of AMD's
// processors: none, if every host can run the guest.
func Violations(s *State) []Rule {
	var broken []Rule
	for _, list := range [][]Rule{controlRules, segmentRules, taskRules, flagRules, registerRules} {
		for _, r := range list {
			if !r.holds(s) {
				broken = append(broken, r)
			}
		}
	}
	return broken
}

// String describes the rule for an error message.
func (r Rule) String() string { return fmt.Sprintf("%s: %s (%s)", r.Name, r.Text, r.Source) }

// longMode reports whether KVM enters the guest in IA-32e mode.
func longMode(s *State) bool { return s.Sregs.EFER&eferLMA != 0 }

// canonical reports whether an address is one with 48 bits.
func canonical(address uint64) bool {
	high := address >> 47
	return high == 0 || high == 1<<17-1
}

// implies is the logical operation.
func implies(a, b bool) bool { return !a || b }

// bit reports whether all bits of mask are set.
func bit(value, mask uint64) bool { return value&mask == mask }

const (
	cr0Fixed   = cr0PE | cr0NE | cr0PG
	cr0Defined = cr0PE | cr0MP | 1<<2 | 1<<3 | cr0ET | cr0NE | cr0WP | cr0AM | cr0NW | cr0CD | cr0PG
	// PSE to UMIP, then FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE, CET, PKS; without
	// LA57, VMXE and SMXE, which are for KVM to decide on.
	cr4Defined  = 0x0fff | 1<<16 | 1<<17 | 1<<18 | 1<<20 | 1<<21 | 1<<22 | 1<<23 | 1<<24
	eferDefined = eferSCE | eferLME | eferLMA | eferNXE
	cr3Reserved = ^uint64(1<<46-1) | 0xfff // 46 bits: the least that servers have
)

var (
	controlRules = []Rule{
		{
			"cr0-fixed", sdmControl, "CR0 must not set any bit to a value not supported in VMX operation: PE, NE and PG are 1",
			func(s *State) bool { return bit(s.Sregs.CR0, cr0Fixed) },
		},
		{
			"cr0-reserved", apmChecks, "CR0[63:32] are not zero; reserved bits",
			func(s *State) bool { return s.Sregs.CR0&^cr0Defined == 0 },
		},
		{
			"cr0-nw", apmChecks, "CR0.CD is zero and CR0.NW is set",
			func(s *State) bool { return implies(bit(s.Sregs.CR0, cr0NW), bit(s.Sregs.CR0, cr0CD)) },
		},
		{
			"cr0-pe", sdmControl, "if bit 31 in the CR0 field (corresponding to PG) is 1, bit 0 in that field (PE) must also be 1",
			func(s *State) bool { return implies(bit(s.Sregs.CR0, cr0PG), bit(s.Sregs.CR0, cr0PE)) },
		},
		{
			"cr4-reserved", sdmControl, "CR4 must not set any bit to a value not supported in VMX operation",
			func(s *State) bool { return s.Sregs.CR4&^cr4Defined == 0 },
		},
		{
			"cr4-cet", sdmControl, "if bit 23 in the CR4 field (CET) is 1, bit 16 in the CR0 field (WP) must also be 1",
			func(s *State) bool { return implies(bit(s.Sregs.CR4, cr4CET), bit(s.Sregs.CR0, cr0WP)) },
		},
		{
			"cr4-pae", sdmControl, "if IA-32e mode guest is 1, bit 31 in the CR0 field (PG) and bit 5 in the CR4 field (PAE) must each be 1",
			func(s *State) bool {
				return implies(longMode(s), bit(s.Sregs.CR0, cr0PG) && bit(s.Sregs.CR4, cr4PAE))
			},
		},
		{
			"cr4-pcide", sdmControl, "if IA-32e mode guest is 0, bit 17 in the CR4 field (PCIDE) must be 0",
			func(s *State) bool { return implies(!longMode(s), s.Sregs.CR4&cr4PCIDE == 0) },
		},
		{
			"cr3-width", sdmControl, "the CR3 field must be such that bits 63:52 and bits in the range 51:32 beyond the physical-address width are 0",
			func(s *State) bool { return s.Sregs.CR3&cr3Reserved == 0 },
		},
		{
			"efer-reserved", sdmControl, "bits reserved in the IA32_EFER MSR must be 0 (KVM sets AMD's SVME itself)",
			func(s *State) bool { return s.Sregs.EFER&^eferDefined == 0 },
		},
		{
			"efer-lma", sdmControl, "bit 10 (IA32_EFER.LMA) must be identical to bit 8 (LME) if bit 31 in the CR0 field (PG) is 1",
			func(s *State) bool {
				return implies(bit(s.Sregs.CR0, cr0PG), bit(s.Sregs.EFER, eferLMA) == bit(s.Sregs.EFER, eferLME))
			},
		},
		{
			"efer-long", apmChecks, "EFER.LME and CR0.PG are both set and CR4.PAE is zero, or CR0.PE is zero",
			func(s *State) bool {
				return implies(bit(s.Sregs.EFER, eferLME) && bit(s.Sregs.CR0, cr0PG),
					bit(s.Sregs.CR4, cr4PAE) && bit(s.Sregs.CR0, cr0PE))
			},
		},
	}

	flagRules = []Rule{
		{
			"rip-canonical", sdmRIP, "if the processor supports N < 64 linear-address bits, bits 63:N of RIP must be identical if IA-32e mode guest is 1 and the L bit for CS is 1",
			func(s *State) bool { return canonical(s.Regs.RIP) },
		},
		{
			"rflags-reserved", sdmRIP, "reserved bits 63:22 (bits 31:22 on processors that do not support Intel 64 architecture), 15, 5 and 3 must be 0",
			func(s *State) bool { return s.Regs.RFLAGS&(^uint64(1<<22-1)|1<<15|1<<5|1<<3) == 0 },
		},
		{
			"rflags-one", sdmRIP, "reserved bit 1 must be 1",
			func(s *State) bool { return bit(s.Regs.RFLAGS, flagReserved1) },
		},
		{
			"rflags-vm", sdmRIP, "the VM flag (bit 17) must be 0 if IA-32e mode guest is 1",
			func(s *State) bool { return implies(longMode(s), s.Regs.RFLAGS&(1<<17) == 0) },
		},
	}

	registerRules = []Rule{
		{
			"gdtr-base", sdmDescriptors, "the base-address field of GDTR must be canonical",
			func(s *State) bool { return canonical(s.Sregs.GDT.Base) },
		},
		{
			"idtr-base", sdmDescriptors, "the base-address field of IDTR must be canonical",
			func(s *State) bool { return canonical(s.Sregs.IDT.Base) },
		},
		{
			"msr-canonical", wrmsrChecks, "LSTAR, CSTAR and KERNEL_GS_BASE must be canonical",
			func(s *State) bool {
				return canonical(msr(s, msrLSTAR)) && canonical(msr(s, msrCSTAR)) && canonical(msr(s, msrKernelGSBase))
			},
		},
		{
			"xcr0-x87", sdmXSetBV, "XCR0[0] is always 1; XCR0[1] here too, because everyone uses SSE",
			func(s *State) bool { return bit(s.XCR0, 3) },
		},
		{
			"xcr0-avx512", sdmXSetBV, "XCR0[7:5] must be all set or all clear, and set only if XCR0[2] is",
			func(s *State) bool {
				return s.XCR0&0xe0 == 0 || bit(s.XCR0, 0xe4)
			},
		},
		{
			"xcr0-reserved", sdmXSetBV, "an attempt to set a reserved bit, or one of a state that the guest is not offered",
			func(s *State) bool { return s.XCR0&^0xe7 == 0 },
		},
		{
			"xcr0-osxsave", sdmXSetBV, "software enables the XSAVE feature set by setting CR4.OSXSAVE",
			func(s *State) bool { return bit(s.Sregs.CR4, 1<<18) },
		},
	}
)

func msr(s *State, index uint32) uint64 {
	for _, m := range s.MSRs {
		if m.Index == index {
			return m.Data
		}
	}
	return 0
}

// granular reports whether a limit agrees with the G bit.
func granular(g kvm.Segment) bool {
	return implies(g.Limit&0xfff != 0xfff, g.G == 0) && implies(g.Limit&0xfff00000 != 0, g.G == 1)
}

// usable reports whether a segment register holds a segment.
func usable(g kvm.Segment) bool { return g.Unusable == 0 }
