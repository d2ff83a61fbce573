package elf

import debugelf "debug/elf"

// segmentRefusals are files whose tables are sound but whose segments are not.
var segmentRefusals = []refusal{
	{
		name: "nothing to load", reason: ErrNoSegments, want: []string{"PT_LOAD"},
		edit: func(b *builder) { b.progs = b.progs[progStack:] },
	},
	{
		name: "only empty segments", reason: ErrNoSegments, want: []string{"PT_LOAD"},
		edit: func(b *builder) {
			for i := range b.progs {
				b.progs[i].Filesz, b.progs[i].Memsz = 0, 0
			}
		},
	},
	{
		name: "file larger than memory", reason: ErrFileSize, segment: progText,
		edit: func(b *builder) { b.progs[progText].Memsz-- },
		want: []string{"segment 1: ", "0x40 bytes", "p_filesz", "0x3f bytes", "p_memsz"},
	},
	{
		name: "file larger than no memory", reason: ErrFileSize, segment: progText,
		edit: func(b *builder) { b.progs[progText].Memsz = 0 },
	},
	{
		name: "data end outside", reason: ErrFileRange, segment: progData,
		edit: func(b *builder) { b.progs[progData].Filesz = 0x41 },
		want: []string{"0x41 bytes (p_filesz)", "offset 0x340 (p_offset)", "file of 0x380 bytes"},
	},
	{
		name: "data start outside", reason: ErrFileRange, segment: progData,
		edit: func(b *builder) { b.progs[progData].Off += 1 << 50 },
	},
	{
		name: "data wraps", reason: ErrFileRange, segment: progData,
		edit: func(b *builder) {
			b.progs[progData].Off = ^uint64(0) - PageSize + 1 + dataOff
			b.progs[progData].Filesz, b.progs[progData].Memsz = PageSize, PageSize
		},
	},
	{
		name: "write and execute", reason: ErrWriteExec, segment: progData,
		edit: func(b *builder) { b.progs[progData].Flags |= uint32(debugelf.PF_X) },
		want: []string{"p_flags 0x7", "-N"},
	},
	{
		name: "alignment 3", reason: ErrAlignment, segment: progData,
		edit: func(b *builder) { b.progs[progData].Align = 0x3000 },
		want: []string{"0x3000", "p_align", "power of two"},
	},
	{
		name: "alignment 3 in a PIE", reason: ErrAlignment, segment: progData,
		edit: func(b *builder) { b.makePIE(); b.progs[progData].Align = 0x3000 },
		want: []string{"0x3000", "p_align", "power of two"},
	},
	{
		name: "offset out of step", reason: ErrAlignment, segment: progText,
		edit: func(b *builder) { b.progs[progText].Vaddr++ },
		want: []string{"0x401301 (p_vaddr)", "0x300 (p_offset)", "0x1000"},
	},
	{
		name: "PIE with great alignment", reason: ErrAlignment, segment: progText,
		edit: func(b *builder) { b.makePIE(); b.progs[progText].Align = 1 << 63 },
		want: []string{"0x8000000000000000 (p_align)", "max-page-size"},
	},
	{
		name: "PIE aligned out of range", reason: ErrAddressRange, segment: progText,
		edit:   func(b *builder) { b.makePIE(); b.progs = b.progs[progText-1:]; b.progs[progText].Align = 1 << 30 },
		limits: func(l *Limits) { l.UserEnd = 1<<30 + 0x1000 },
		want:   []string{"0x40001300-0x40001340"},
	},
	{
		name: "address wraps", reason: ErrAddressOverflow, segment: progData,
		edit: func(b *builder) { b.progs[progData].Vaddr = ^uint64(0) - PageSize + 1 + dataOff },
		want: []string{"0xfffffffffffff340 (p_vaddr)", "0x1020 bytes (p_memsz)", "64 bits"},
	},
	{
		name: "size wraps", reason: ErrAddressOverflow, segment: progData,
		edit: func(b *builder) { b.progs[progData].Memsz = ^uint64(0) },
	},
	{
		name: "bias wraps", reason: ErrAddressOverflow, segment: progText,
		edit: func(b *builder) { b.makePIE(); b.progs[progText].Vaddr = ^uint64(0) - PageSize + 1 + textOff },
		want: []string{"load bias 0x400000"},
	},
	{
		name: "below the user addresses", reason: ErrAddressRange, segment: progText,
		edit:   func(b *builder) { b.progs[progText].Vaddr = 0xf000 + textOff },
		limits: func(l *Limits) { l.UserStart = 0x10000 },
		want:   []string{"0xf300-0xf340", "0x10000-0x700000000000"},
	},
	{
		name: "page below the user addresses", reason: ErrAddressRange, segment: progText,
		edit:   func(b *builder) { b.progs[progText].Vaddr = 0xf000 + textOff },
		limits: func(l *Limits) { l.UserStart = 0xf200 },
	},
	{
		name: "at address zero", reason: ErrAddressRange, segment: progText,
		edit: func(b *builder) { b.progs[progText].Vaddr = textOff },
	},
	{
		name: "above the user addresses", reason: ErrAddressRange, segment: progData,
		limits: func(l *Limits) { l.UserEnd = dataAddr + dataSize + bssSize - 1 },
		want:   []string{"0x402340-0x403360"},
	},
	{
		name: "page above the user addresses", reason: ErrAddressRange, segment: progData,
		limits: func(l *Limits) { l.UserEnd = 0x404000 - 1 },
	},
	{
		name: "last page wraps", reason: ErrAddressRange, segment: progData,
		edit: func(b *builder) { b.progs[progData].Memsz = ^uint64(0) - dataAddr },
		want: []string{"0x402340-0xffffffffffffffff"},
	},
	{
		name: "kernel half", reason: ErrAddressRange, segment: progText,
		edit: func(b *builder) { b.progs[progText].Vaddr = 0xffffffff81000000 + textOff },
	},
	{
		name: "no canonical address", reason: ErrAddressRange, segment: progText,
		edit:   func(b *builder) { b.progs[progText].Vaddr = 1<<47 + textOff },
		limits: func(l *Limits) { l.UserEnd = 1 << 47 },
	},
	{
		name: "overlap", reason: ErrOverlap, segment: progData,
		edit: func(b *builder) { b.progs[progText].Memsz = 0x2000 },
		want: []string{"segment 2: 0x402340-0x403360 overlaps segment 1, 0x401300-0x403300"},
	},
	{
		name: "overlap against the order", reason: ErrOverlap, segment: progText,
		edit: func(b *builder) {
			b.progs[progHead].Vaddr -= 1 << 16
			b.progs[progData].Vaddr = textAddr - PageSize + dataOff - textOff
		},
		want: []string{"segment 1: 0x401300-0x401340 overlaps segment 2, 0x400340-0x401360"},
	},
	{
		name: "same place", reason: ErrOverlap, segment: progStack,
		edit: func(b *builder) { b.progs[progStack] = b.progs[progData] },
		want: []string{"segment 3: ", "overlaps segment 2"},
	},
	{
		name: "shared page", reason: ErrOverlap, segment: progData,
		edit: func(b *builder) { b.progs[progData].Vaddr = textAddr + dataOff - textOff },
		want: []string{"segment 2: 0x401340-0x402360 shares a page with segment 1, 0x401300-0x401340"},
	},
	{
		name: "inner overlap", reason: ErrOverlap, segment: progText,
		edit: func(b *builder) { b.progs[progHead].Memsz = 1 << 30 },
		want: []string{"overlaps segment 0"},
	},
	{
		name: "memory", reason: ErrMemory, want: []string{"16384 bytes (0x4000)", "limit is 16383"},
		limits: func(l *Limits) { l.MaxMemory = 0x4000 - 1 },
	},
	{
		name: "much memory", reason: ErrMemory, want: []string{"0x200000003000"},
		edit: func(b *builder) { b.progs[progData].Memsz = 1 << 45 },
	},
	{
		name: "entry in data", reason: ErrEntry, want: []string{"0x402340", "e_entry"},
		edit: func(b *builder) { b.header.Entry = dataAddr },
	},
	{
		name: "entry zero", reason: ErrEntry, want: []string{"0x0"},
		edit: func(b *builder) { b.header.Entry = 0 },
	},
	{
		name: "entry after the text", reason: ErrEntry,
		edit: func(b *builder) { b.header.Entry = textAddr + textSize },
	},
	{
		name: "entry before the text", reason: ErrEntry,
		edit: func(b *builder) { b.header.Entry = textAddr - 1 },
	},
	{
		name: "entry wraps", reason: ErrEntry, want: []string{"0xfffffffffffff000"},
		edit: func(b *builder) { b.makePIE(); b.header.Entry = ^uint64(0) - 0xfff },
	},
}
