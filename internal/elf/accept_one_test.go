package elf

import (
	debugelf "debug/elf"
	"errors"
	"testing"
)

// acceptancesOfOne are each decided by one check.
var acceptancesOfOne = []struct {
	name  string
	edit  func(b *builder)
	check func(im *Image) bool
}{
	{
		name: "segments behind an empty one",
		edit: func(b *builder) {
			b.makePIE()
			b.progs = append([]debugelf.Prog64{loadProg(7, 0, 0, 0, 0)}, b.progs...)
			b.progs[len(b.progs)-2].Align = 1 << 23
		},
		check: func(im *Image) bool { return len(im.Segments) == 3 && im.Bias == 1<<23 },
	},
	{
		name:  "only segments align a PIE",
		edit:  func(b *builder) { b.makePIE(); b.progs[progStack].Align = 1 << 30 },
		check: func(im *Image) bool { return im.Bias == DefaultPIEBase },
	},
	{
		name:  "no alignment in a PIE",
		edit:  func(b *builder) { b.makePIE(); b.progs[progText].Align = 0 },
		check: func(im *Image) bool { return im.Bias == DefaultPIEBase },
	},
	{
		name: "a segment that begins with the headers",
		edit: func(b *builder) {
			b.progs[0].Off, b.progs[0].Vaddr, b.progs[0].Filesz = progsOff, headAddr+progsOff, 4*56
		},
		check: func(im *Image) bool { return im.PhdrAddr == headAddr+progsOff },
	},
	{
		name:  "headers in the last segment",
		edit:  func(b *builder) { b.progs[0].Vaddr = 0x500000 },
		check: func(im *Image) bool { return im.PhdrAddr == 0x500000+progsOff },
	},
	{
		name: "what would be needed, but not in the dynamic table",
		edit: func(b *builder) {
			b.makePIE()
			b.addDynamic(debugelf.DT_NEEDED)
			b.progs[len(b.progs)-1].Type = uint32(debugelf.PT_NOTE)
		},
		check: func(im *Image) bool { return im.Kind == KindPIE },
	},
	{
		name: "a note of another segment",
		edit: func(b *builder) { b.addProg(debugelf.PT_GNU_EH_FRAME, note("GNU\x00", 3, []byte("build"), 4)) },
		check: func(im *Image) bool {
			_, ok := im.Note("GNU", 3)
			return !ok
		},
	},
	{
		name: "a note without name and content",
		edit: func(b *builder) { b.addProg(debugelf.PT_NOTE, note("", 7, nil, 4)) },
		check: func(im *Image) bool {
			_, ok := im.Note("", 7)
			return ok
		},
	},
}

func TestParseAcceptsOne(t *testing.T) {
	for _, tt := range acceptancesOfOne {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder()
			tt.edit(b)
			if im := mustParse(t, b.bytes(t), testLimits()); !tt.check(im) {
				t.Errorf("unexpected image %v, bias %#x, headers at %#x, segments %+v", im.Kind, im.Bias, im.PhdrAddr, im.Segments)
			}
		})
	}
}

// TestNeedsInTheLastEntry: a dynamic table need not have an end.
func TestNeedsInTheLastEntry(t *testing.T) {
	b := newBuilder()
	b.makePIE()
	b.addDynamic(debugelf.DT_NEEDED)
	p := &b.progs[len(b.progs)-1]
	p.Filesz = 16
	if _, err := Parse(b.bytes(t), testLimits()); !errors.Is(err, ErrSharedLibrary) {
		t.Errorf("Parse() = %v", err)
	}
}

// TestUserEnd: the last address that four levels of page tables can have.
func TestUserEnd(t *testing.T) {
	for end, ok := range map[uint64]bool{1 << 47: true, 1<<47 + 1: false} {
		if _, err := Parse(newBuilder().bytes(t), Limits{UserEnd: end}); ok != (err == nil) || !ok && !errors.Is(err, ErrLimits) {
			t.Errorf("UserEnd %#x: %v", end, err)
		}
	}
}
