package elf

import (
	debugelf "debug/elf"
	"encoding/binary"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"
)

// symbolFile is a sound file with everything: symbols, notes, section headers.
func symbolFile(tb testing.TB) []byte {
	tb.Helper()
	b := newBuilder()
	b.addProg(debugelf.PT_NOTE, note("GNU\x00", 3, []byte("build id"), 4))
	b.addSymbols(symbols(tb, map[string]debugelf.Sym64{
		"start": function(textAddr+0x10, 8, debugelf.STB_GLOBAL),
		"later": function(textAddr+0x20, 8, debugelf.STB_GLOBAL),
	}))
	return b.bytes(tb)
}

// checkSymbol looks addr up and checks what Symbol promises about any answer.
func checkSymbol(tb testing.TB, im *Image, addr uint64) {
	tb.Helper()
	name, offset, ok := im.Symbol(addr)
	if !ok {
		if name != "" || offset != 0 {
			tb.Errorf("Symbol(%#x) = %q, %#x without success", addr, name, offset)
		}
		return
	}
	if len(name) == 0 || len(name) > maxSymbolName || !utf8.ValidString(name) {
		tb.Errorf("Symbol(%#x) = %q of %d bytes", addr, name, len(name))
	}
	if i := strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
		tb.Errorf("Symbol(%#x) = %q is not printable", addr, name)
	}
	if seg := im.execSegment(addr); seg == nil || offset > addr-seg.Addr {
		tb.Errorf("Symbol(%#x) is %#x beyond the start of a function elsewhere", addr, offset)
	}
	if len(im.syms.funcs)*16 > len(im.file) {
		tb.Errorf("%d symbols from a file of %d bytes", len(im.syms.funcs), len(im.file))
	}
}

// addSymbolZoo gives the program functions of every sort, and symbols that are
// not functions of it.
func addSymbolZoo(tb testing.TB, b *builder, text uint64) {
	tb.Helper()
	at := func(off, size uint64, bind debugelf.SymBind) debugelf.Sym64 {
		return function(text+off, size, bind)
	}
	variable := at(0x38, 8, debugelf.STB_GLOBAL)
	variable.Info = debugelf.ST_INFO(debugelf.STB_GLOBAL, debugelf.STT_OBJECT)
	undefined := at(0x3a, 8, debugelf.STB_GLOBAL)
	undefined.Shndx = 0
	indirect := at(0x30, 8, debugelf.STB_GLOBAL)
	indirect.Info = debugelf.ST_INFO(debugelf.STB_GLOBAL, debugelf.STT_GNU_IFUNC)
	b.addSymbols(symbols(tb, map[string]debugelf.Sym64{
		"main.(*T).run": at(0x10, 8, debugelf.STB_LOCAL),
		"text.end":      at(0x20, 0, debugelf.STB_GLOBAL),
		"__local":       at(0x20, 8, debugelf.STB_LOCAL),
		"__weak":        at(0x20, 8, debugelf.STB_WEAK),
		"public":        at(0x20, 8, debugelf.STB_GLOBAL),
		"ifunc":         indirect,
		"variable":      variable,
		"undefined":     undefined,
		"in data":       at(dataAddr-textAddr, 8, debugelf.STB_GLOBAL),
		"before":        at(^uint64(0), 8, debugelf.STB_GLOBAL),
		"nowhere":       function(1, 8, debugelf.STB_GLOBAL),
		"far away":      function(^uint64(0)-1, 8, debugelf.STB_GLOBAL),
	}))
}

func TestSymbol(t *testing.T) {
	const text = textAddr
	for _, pie := range []bool{false, true} {
		b := newBuilder()
		if pie {
			b.makePIE()
			addSymbolZoo(t, b, text-headAddr)
		} else {
			addSymbolZoo(t, b, text)
		}
		lim := testLimits()
		lim.PIEBase = headAddr
		im := mustParse(t, b.bytes(t), lim)
		for _, tt := range []struct {
			addr   uint64
			name   string
			offset uint64
		}{
			{0, "", 0},
			{text - 1, "", 0},
			{text, "", 0},
			{text + 0xf, "", 0},
			{text + 0x10, "main.(*T).run", 0},
			{text + 0x1f, "main.(*T).run", 0xf},
			{text + 0x20, "public", 0},
			{text + 0x2f, "public", 0xf},
			{text + 0x30, "ifunc", 0},
			{text + textSize - 1, "ifunc", 0xf},
			{text + textSize, "", 0},
			{dataAddr, "", 0},
			{headAddr, "", 0},
			{^uint64(0), "", 0},
		} {
			name, offset, ok := im.Symbol(tt.addr)
			if name != tt.name || offset != tt.offset || ok != (tt.name != "") {
				t.Errorf("pie %v: Symbol(%#x) = %q, %#x, %v, want %q, %#x",
					pie, tt.addr, name, offset, ok, tt.name, tt.offset)
			}
			checkSymbol(t, im, tt.addr)
		}
	}
}

func TestSymbolNames(t *testing.T) {
	long := strings.Repeat("n", 256)
	for _, tt := range []struct{ raw, want string }{
		{"main.Map[go.shape.int]·f", "main.Map[go.shape.int]·f"},
		{"日本.語", "日本.語"},
		{"two words", "two words"},
		{"red\x1b[31m\r\n\x7f", "red?[31m???"},
		{"bad \xff\xc0 utf8 \ufffd", "bad ?? utf8 ?"},
		{"bidi \u202e\u2066 \u200b\u00a0", "bidi ?? ??"},
		{long, long},
		{long + "n", long[:253] + "..."},
		{strings.Repeat("n", 252) + "日本語", long[:252] + "?..."},
	} {
		b := newBuilder()
		b.addSymbols(symbols(t, map[string]debugelf.Sym64{tt.raw: function(textAddr, 8, debugelf.STB_GLOBAL)}))
		im := mustParse(t, b.bytes(t), testLimits())
		if name, _, ok := im.Symbol(textAddr); name != tt.want || !ok {
			t.Errorf("symbol %q = %q, %v, want %q", tt.raw, name, ok, tt.want)
		}
		checkSymbol(t, im, textAddr)
	}
}

// TestSymbolHostile damages the tables in ways that must lead to no symbols, or
// to those that are left.
func TestSymbolHostile(t *testing.T) {
	const symtab, strtab = 1, 2
	for _, tt := range []struct {
		name string
		edit func(b *builder)
		want string
	}{
		{"sound", func(*builder) {}, "start"},
		{"stripped", func(b *builder) { b.sections = nil }, ""},
		{"no symbol table", func(b *builder) { b.sections[symtab].Type = uint32(debugelf.SHT_PROGBITS) }, ""},
		{"section header size", func(b *builder) { b.header.Shentsize = 40 }, ""},
		{"section headers outside", func(b *builder) { b.header.Shoff = 1 << 40 }, ""},
		{"section headers wrap", func(b *builder) { b.header.Shoff = ^uint64(0) - 63 }, ""},
		{"too many sections", func(b *builder) { b.header.Shnum = 0xffff }, ""},
		{"table outside", func(b *builder) { b.sections[symtab].Off = 1 << 40 }, ""},
		{"table ends outside", func(b *builder) { b.sections[symtab].Size = 1 << 20 }, ""},
		{"table wraps", func(b *builder) { b.sections[symtab].Off = ^uint64(0) - 23 }, ""},
		{"table size wraps", func(b *builder) { b.sections[symtab].Size = 24 - b.sections[symtab].Off }, ""},
		{"table of part of an entry", func(b *builder) { b.sections[symtab].Size = 47 }, ""},
		{"table with a tail", func(b *builder) { b.sections[symtab].Size++ }, "start"},
		{"table is the file", func(b *builder) { b.sections[symtab].Off, b.sections[symtab].Size = 0, 0x380 }, ""},
		{"link outside", func(b *builder) { b.sections[symtab].Link = 3 }, ""},
		{"link far outside", func(b *builder) { b.sections[symtab].Link = ^uint32(0) }, ""},
		{"link to itself", func(b *builder) { b.sections[symtab].Link = symtab }, ""},
		{"names are no names", func(b *builder) { b.sections[strtab].Type = uint32(debugelf.SHT_NOBITS) }, ""},
		{"names outside", func(b *builder) { b.sections[strtab].Off = 1 << 63 }, ""},
		{"no names", func(b *builder) { b.sections[strtab].Size = 0 }, ""},
		{"name outside", func(b *builder) { b.sections[strtab].Size = 1 }, ""},
		{"name without an end", func(b *builder) { b.sections[strtab].Size = 3 }, "st"},
		{"name empty", func(b *builder) { clear(b.extra[b.sections[strtab].Off-extraOff:]) }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder()
			b.addSymbols(symbols(t, map[string]debugelf.Sym64{"start": function(textAddr, 8, debugelf.STB_GLOBAL)}))
			tt.edit(b)
			im := mustParse(t, b.bytes(t), testLimits())
			if name, _, ok := im.Symbol(textAddr + 1); name != tt.want || ok != (tt.want != "") {
				t.Errorf("Symbol = %q, %v, want %q", name, ok, tt.want)
			}
			exercise(t, im)
		})
	}
}

// TestSymbolMemory checks that a table costs no more memory than it has bytes,
// and one over the limit costs nothing.
func TestSymbolMemory(t *testing.T) {
	entry := encode(t, function(textAddr, 1, debugelf.STB_LOCAL))
	for _, tt := range []struct {
		count int
		want  bool
	}{{maxSymbols / 8, true}, {maxSymbols + 1, false}} {
		table := make([]byte, tt.count*symbolSize)
		for i := range tt.count {
			copy(table[i*symbolSize:], entry)
			binary.LittleEndian.PutUint32(table[i*symbolSize:], uint32(1+i%2))
			table[i*symbolSize+8] += byte(i % textSize)
		}
		b := newBuilder()
		b.addSymbols(table, []byte("\x00ab\x00"))
		file := b.bytes(t)
		im := mustParse(t, file, testLimits())

		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, ok := im.Symbol(textAddr)
		runtime.ReadMemStats(&after)
		if ok != tt.want {
			t.Errorf("%d symbols: Symbol reports %v", tt.count, ok)
		}
		limit := uint64(64 << 10)
		if tt.want {
			limit += uint64(len(table))
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > limit {
			t.Errorf("%d symbols: %d bytes allocated, want at most %d", tt.count, got, limit)
		}
	}
}

// TestParseMemory checks that a refusal of great numbers allocates little.
func TestParseMemory(t *testing.T) {
	b := newBuilder()
	for range 60 {
		p := b.addProg(debugelf.PT_NOTE, nil)
		p.Filesz, p.Memsz = 1<<62, 1<<62
	}
	b.header.Shnum = 0xffff
	file := b.bytes(t)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	im, err := Parse(file, testLimits())
	runtime.ReadMemStats(&after)
	if err != nil || len(im.Segments) != 3 {
		t.Fatalf("Parse: %v", err)
	}
	if got := after.TotalAlloc - before.TotalAlloc; got > 64<<10 {
		t.Errorf("%d bytes allocated", got)
	}
}

// TestSymbolConcurrent is for the race detector: the table is read on demand.
func TestSymbolConcurrent(t *testing.T) {
	im := mustParse(t, symbolFile(t), testLimits())
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if name, offset, ok := im.Symbol(textAddr + 0x12); name != "start" || offset != 2 || !ok {
				t.Errorf("Symbol = %q, %d, %v", name, offset, ok)
			}
		})
	}
	wg.Wait()
}
