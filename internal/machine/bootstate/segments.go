package bootstate

import (
	"slices"

	"github.com/airlockvm/airlock/internal/kvm"
)

// data returns the data segment registers except SS.
func data(s *State) []kvm.Segment {
	return []kvm.Segment{s.Sregs.DS, s.Sregs.ES, s.Sregs.FS, s.Sregs.GS}
}

// each makes a rule for one segment into one for all of data that are usable.
func each(holds func(kvm.Segment) bool) func(*State) bool {
	return func(s *State) bool {
		return !slices.ContainsFunc(data(s), func(g kvm.Segment) bool { return usable(g) && !holds(g) })
	}
}

var (
	segmentRules = []Rule{
		{
			"cs-type", sdmSegments, "CS: Type must be 9, 11, 13, or 15 (accessed code segment)",
			func(s *State) bool { return slices.Contains([]uint8{9, 11, 13, 15}, s.Sregs.CS.Type) },
		},
		{
			"cs-code", sdmSegments, "CS: S must be 1",
			func(s *State) bool { return s.Sregs.CS.S == 1 },
		},
		{
			"cs-present", sdmSegments, "CS: P must be 1",
			func(s *State) bool { return s.Sregs.CS.Present == 1 && usable(s.Sregs.CS) },
		},
		{
			"cs-dpl", sdmSegments, "CS: if Type is 9 or 11 (non-conforming code segment), the DPL must equal the DPL in the access-rights field for SS; if 13 or 15, it cannot be greater",
			func(s *State) bool {
				if s.Sregs.CS.Type >= 13 {
					return s.Sregs.CS.DPL <= s.Sregs.SS.DPL
				}
				return s.Sregs.CS.DPL == s.Sregs.SS.DPL
			},
		},
		{
			"cs-db", sdmSegments, "CS: D/B must be 0 if the guest will be IA-32e mode and the L bit is 1 (AMD: EFER.LME, CR0.PG, CR4.PAE, CS.L and CS.D are all non-zero)",
			func(s *State) bool { return implies(longMode(s) && s.Sregs.CS.L == 1, s.Sregs.CS.DB == 0) },
		},
		{
			"cs-granularity", sdmSegments, "CS: if any bit in the limit field in the range 11:0 is 0, G must be 0; if any in 31:20 is 1, G must be 1",
			func(s *State) bool { return granular(s.Sregs.CS) },
		},
		{
			"cs-base", sdmSegments, "CS: bits 63:32 of the base address must be zero",
			func(s *State) bool { return s.Sregs.CS.Base>>32 == 0 },
		},
		{
			"cs-long", "DESIGN.md", "the guest runs 64-bit code",
			func(s *State) bool { return longMode(s) && s.Sregs.CS.L == 1 },
		},
		{
			"ss-rpl", sdmSegments, "SS: if the guest will not be virtual-8086 and unrestricted guest is 0, the RPL (bits 1:0) must equal the RPL of the selector field for CS",
			func(s *State) bool { return s.Sregs.SS.Selector&3 == s.Sregs.CS.Selector&3 },
		},
		{
			"ss-dpl", sdmSegments, "SS: if unrestricted guest is 0, the DPL must equal the RPL from the selector field",
			func(s *State) bool { return uint16(s.Sregs.SS.DPL) == s.Sregs.SS.Selector&3 },
		},
		{
			"ss-type", sdmSegments, "SS: if SS is usable, Type must be 3 or 7 (read/write, accessed data segment), S and P 1",
			func(s *State) bool {
				g := s.Sregs.SS
				return !usable(g) || (g.Type == 3 || g.Type == 7) && g.S == 1 && g.Present == 1
			},
		},
		{
			"ss-limits", sdmSegments, "SS: if SS is usable, bits 63:32 of the base must be zero, and G agree with the limit",
			func(s *State) bool {
				return !usable(s.Sregs.SS) || s.Sregs.SS.Base>>32 == 0 && granular(s.Sregs.SS)
			},
		},
		{
			"data-type", sdmSegments, "DS, ES, FS, GS: if usable, bit 0 of the Type must be 1 (accessed); if bit 3 is 1 (code segment), then bit 1 must be 1 (readable); S and P 1",
			each(func(g kvm.Segment) bool {
				return g.Type&1 == 1 && implies(g.Type&8 != 0, g.Type&2 != 0) && g.S == 1 && g.Present == 1
			}),
		},
		{
			"data-dpl", sdmSegments, "DS, ES, FS, GS: the DPL cannot be less than the RPL in the selector field if unrestricted guest is 0, the register is usable, and the Type is in the range 0-11",
			each(func(g kvm.Segment) bool { return g.Type > 11 || uint16(g.DPL) >= g.Selector&3 }),
		},
		{
			"data-granularity", sdmSegments, "DS, ES, FS, GS: if usable, G must agree with the limit",
			each(granular),
		},
		{
			"data-base", sdmSegments, "DS, ES: if usable, bits 63:32 of the base address must be zero; FS, GS: the address must be canonical",
			func(s *State) bool {
				low := func(g kvm.Segment) bool { return !usable(g) || g.Base>>32 == 0 }
				return low(s.Sregs.DS) && low(s.Sregs.ES) && canonical(s.Sregs.FS.Base) && canonical(s.Sregs.GS.Base)
			},
		},
	}

	taskRules = []Rule{
		{
			"tr-ti", sdmSegments, "TR: the TI flag (bit 2) of the selector must be 0",
			func(s *State) bool { return s.Sregs.TR.Selector&4 == 0 },
		},
		{
			"tr-type", sdmSegments, "TR: if the guest will be IA-32e mode, the Type must be 11 (64-bit busy TSS); S must be 0",
			func(s *State) bool { return s.Sregs.TR.Type == 11 && s.Sregs.TR.S == 0 },
		},
		{
			"tr-present", sdmSegments, "TR: P must be 1, and the unusable bit 0",
			func(s *State) bool { return s.Sregs.TR.Present == 1 && usable(s.Sregs.TR) },
		},
		{
			"tr-granularity", sdmSegments, "TR: G must agree with the limit",
			func(s *State) bool { return granular(s.Sregs.TR) },
		},
		{
			"tr-base", sdmSegments, "TR: the address must be canonical",
			func(s *State) bool { return canonical(s.Sregs.TR.Base) },
		},
		{
			"ldtr", sdmSegments, "LDTR: if usable, TI must be 0, Type 2, S 0, P 1, G agree with the limit, and the base be canonical",
			func(s *State) bool {
				g := s.Sregs.LDT
				return !usable(g) || g.Selector&4 == 0 && g.Type == 2 && g.S == 0 && g.Present == 1 && granular(g) && canonical(g.Base)
			},
		},
	}
)
