package elf

import (
	debugelf "debug/elf"
	"testing"
)

// acceptances are files that are unusual and yet sound, or odd in ways that are
// of no concern.
var acceptances = []struct {
	name  string
	edit  func(b *builder)
	lim   Limits
	check func(im *Image) bool
}{
	{
		name: "GNU OS ABI", edit: func(b *builder) { b.header.Ident[7] = 3 },
		check: func(im *Image) bool { return im.Kind == KindExec },
	},
	{
		name:  "segments out of order",
		edit:  func(b *builder) { b.progs[0], b.progs[2] = b.progs[2], b.progs[0] },
		check: func(im *Image) bool { return len(im.Segments) == 3 && im.Segments[0].Addr == headAddr },
	},
	{
		name:  "empty segment anywhere",
		edit:  func(b *builder) { b.progs = append(b.progs, loadProg(7, ^uint64(0), ^uint64(0), 0, 0)) },
		check: func(im *Image) bool { return len(im.Segments) == 3 && im.PhdrCount == 5 },
	},
	{
		name: "empty segment in a PIE does not align it",
		edit: func(b *builder) {
			b.makePIE()
			b.progs = append(b.progs, loadProg(7, 0, 0, 0, 0))
			b.progs[4].Align = 1<<40 + 1
		},
		check: func(im *Image) bool { return im.Bias == DefaultPIEBase },
	},
	{
		name:  "bss with an offset outside the file",
		edit:  func(b *builder) { b.progs[progData].Filesz, b.progs[progData].Off = 0, 1<<50+1 },
		check: func(im *Image) bool { return len(im.Segments[2].Data) == 0 && im.Segments[2].MemSize != 0 },
	},
	{
		name:  "no alignment",
		edit:  func(b *builder) { b.progs[progText].Align, b.progs[progData].Align = 0, 1 },
		check: func(im *Image) bool { return len(im.Segments) == 3 },
	},
	{
		name: "last user page", lim: Limits{UserStart: headAddr, UserEnd: 0x404000, MaxMemory: 0x4000},
		check: func(im *Image) bool { return len(im.Segments) == 3 },
	},
	{
		name: "as many headers as allowed", lim: Limits{UserEnd: 1 << 47, MaxSegments: 4, MaxFile: 0x380},
		check: func(im *Image) bool { return im.PhdrCount == 4 },
	},
	{
		name: "executable stack", edit: func(b *builder) { b.progs[progStack].Flags |= 1 },
		check: func(im *Image) bool { return im.ExecStack },
	},
	{
		name: "no stack marker", edit: func(b *builder) { b.progs = b.progs[:progStack] },
		check: func(im *Image) bool { return !im.ExecStack },
	},
	{
		name:  "headers loaded in part",
		edit:  func(b *builder) { b.progs[0].Filesz = progsOff + 4*56 - 1 },
		check: func(im *Image) bool { return im.PhdrAddr == 0 },
	},
	{
		name:  "headers loaded to their end",
		edit:  func(b *builder) { b.progs[0].Filesz = progsOff + 4*56 },
		check: func(im *Image) bool { return im.PhdrAddr == headAddr+progsOff },
	},
	{
		name:  "headers not loaded",
		edit:  func(b *builder) { b.progs = b.progs[1:] },
		check: func(im *Image) bool { return im.PhdrAddr == 0 },
	},
	{
		name: "unloaded segments outside the file",
		edit: func(b *builder) {
			for _, typ := range []debugelf.ProgType{debugelf.PT_TLS, debugelf.PT_NOTE, debugelf.PT_PHDR, 0x12345678} {
				p := b.addProg(typ, nil)
				p.Off, p.Filesz, p.Vaddr, p.Memsz = ^uint64(0)-8, ^uint64(0), ^uint64(0), 7
			}
		},
		check: func(im *Image) bool { return len(im.Segments) == 3 },
	},
	{
		name: "dynamic table outside the file",
		edit: func(b *builder) {
			b.makePIE()
			p := b.addProg(debugelf.PT_DYNAMIC, nil)
			p.Off, p.Filesz = 1<<60, 1<<60
		},
		check: func(im *Image) bool { return im.Kind == KindPIE },
	},
	{
		name:  "needs after the end of the dynamic table",
		edit:  func(b *builder) { b.makePIE(); b.addDynamic(debugelf.DT_FLAGS_1, debugelf.DT_NULL, debugelf.DT_NEEDED) },
		check: func(im *Image) bool { return im.Kind == KindPIE },
	},
	{
		// Linux runs such a program too, and it may well do without the library.
		name:  "needs with fixed addresses",
		edit:  func(b *builder) { b.addDynamic(debugelf.DT_NEEDED) },
		check: func(im *Image) bool { return im.Kind == KindExec },
	},
	{
		name: "unreadable segment", edit: func(b *builder) { b.progs[progData].Flags = 0 },
		check: func(im *Image) bool { return im.Segments[2].Perm.String() == "---" },
	},
	{
		name:  "entry at the last byte of the text",
		edit:  func(b *builder) { b.header.Entry = textAddr + textSize - 1 },
		check: func(im *Image) bool { return im.Entry == textAddr+textSize-1 },
	},
}

func TestParseAccepts(t *testing.T) {
	for _, tt := range acceptances {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder()
			if tt.edit != nil {
				tt.edit(b)
			}
			lim := tt.lim
			if lim.UserEnd == 0 {
				lim = testLimits()
			}
			if im := mustParse(t, b.bytes(t), lim); !tt.check(im) {
				t.Errorf("unexpected image %v, segments %+v", im.Kind, im.Segments)
			}
		})
	}
}
