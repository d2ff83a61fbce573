package elf

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
)

// The layout of section headers and symbols.
const (
	sectionHeaderSize = 64
	sectionSymtab     = 2
	sectionStrtab     = 3

	symbolSize      = 24
	symbolFunc      = 2
	symbolIndirect  = 10
	symbolUndefined = 0
	bindGlobal      = 1
	bindWeak        = 2
)

const (
	// maxSymbols caps the table that is indexed. The largest Go programs have some
	// hundred thousand symbols. A larger table is not read at all: from a part of
	// it the nearest symbol would be a wrong one.
	maxSymbols = 1 << 21
	// maxSymbolName caps the length of a name in bytes.
	maxSymbolName = 256
)

// symbol is a function in the index. It is smaller than its entry in the file,
// so the index is never larger than the table that it was made from.
type symbol struct {
	addr uint64
	// Guest-controlled: name is an offset into the string table. It was in range
	// when the index was made.
	name uint32
	// rank orders symbols of one address: the lowest names it best.
	rank uint8
}

// symbolIndex holds the functions of an image, sorted, one for each address.
type symbolIndex struct {
	funcs []symbol
	// Guest-controlled: names is the raw string table.
	names []byte
}

// Symbol returns the name of the function nearest at or below addr, and how far
// addr lies beyond its start. It reports false if addr is not in an executable
// segment, or if no function precedes it there, or if the file is stripped.
//
// The name is what the guest's author wrote: a hint for people and nothing to
// rely on. It has at most 256 bytes, all printable.
func (im *Image) Symbol(addr uint64) (name string, offset uint64, ok bool) {
	seg := im.execSegment(addr)
	if seg == nil {
		return "", 0, false
	}
	im.symOnce.Do(func() { im.syms = im.indexSymbols() })
	next, found := slices.BinarySearchFunc(im.syms.funcs, addr, func(s symbol, addr uint64) int {
		return cmp.Compare(s.addr, addr)
	})
	if !found {
		next--
	}
	if next < 0 {
		return "", 0, false
	}
	sym := im.syms.funcs[next]
	if sym.addr < seg.Addr {
		return "", 0, false
	}
	return printableName(im.syms.names, sym.name), addr - sym.addr, true
}

// indexSymbols reads the symbol table into an index. Whatever is wrong with the
// table, the result is an index of what is right with it, perhaps empty.
func (im *Image) indexSymbols() symbolIndex {
	table, names := im.symbolTable()
	// Counting first makes the only allocation exact.
	count := 0
	im.eachFunction(table, names, func(symbol) { count++ })
	funcs := make([]symbol, 0, count)
	im.eachFunction(table, names, func(s symbol) { funcs = append(funcs, s) })
	slices.SortFunc(funcs, func(a, b symbol) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), cmp.Compare(a.rank, b.rank), cmp.Compare(a.name, b.name))
	})
	funcs = slices.CompactFunc(funcs, func(a, b symbol) bool { return a.addr == b.addr })
	return symbolIndex{funcs: funcs, names: names}
}

// eachFunction calls yield for every function in the table that has a name and
// lies in an executable segment.
func (im *Image) eachFunction(table, names []byte, yield func(symbol)) {
	for ; len(table) >= symbolSize; table = table[symbolSize:] {
		name := binary.LittleEndian.Uint32(table[0:])
		info := table[4]
		section := binary.LittleEndian.Uint16(table[6:])
		value := binary.LittleEndian.Uint64(table[8:])
		size := binary.LittleEndian.Uint64(table[16:])

		if typ := info & 0xf; typ != symbolFunc && typ != symbolIndirect {
			continue
		}
		if section == symbolUndefined || uint64(name) >= uint64(len(names)) || names[name] == 0 {
			continue
		}
		addr := value + im.Bias
		if addr < value || im.execSegment(addr) == nil {
			continue
		}
		yield(symbol{addr: addr, name: name, rank: symbolRank(info>>4, size)})
	}
}

// symbolRank says how well a symbol names its address. Linkers mark the start
// and end of sections with symbols of size zero, so a sized symbol comes first;
// of several aliases the global one is the best known.
func symbolRank(bind uint8, size uint64) uint8 {
	rank := uint8(2)
	switch bind {
	case bindGlobal:
		rank = 0
	case bindWeak:
		rank = 1
	}
	if size == 0 {
		rank += 3
	}
	return rank
}

// symbolTable returns the bytes of the symbol table and of its string table, or
// nothing.
//
// Guest-controlled: the section headers and both tables.
func (im *Image) symbolTable() (table, names []byte) {
	if im.hdr.shentsize != sectionHeaderSize {
		return nil, nil
	}
	// The count is a 16-bit field, which bounds the search. A larger count is
	// stored elsewhere and then this one is zero; no linker writes that for a
	// program.
	count := uint64(im.hdr.shnum)
	headers, ok := span(im.file, im.hdr.shoff, count*sectionHeaderSize)
	if !ok {
		return nil, nil
	}
	for i := range count {
		h := headers[i*sectionHeaderSize:]
		if binary.LittleEndian.Uint32(h[4:]) != sectionSymtab {
			continue
		}
		link := uint64(binary.LittleEndian.Uint32(h[40:]))
		if link >= count {
			return nil, nil
		}
		strtab := headers[link*sectionHeaderSize:]
		if binary.LittleEndian.Uint32(strtab[4:]) != sectionStrtab {
			return nil, nil
		}
		table, names = im.sectionData(h), im.sectionData(strtab)
		if len(table) > maxSymbols*symbolSize {
			return nil, nil
		}
		return table, names
	}
	return nil, nil
}

// sectionData returns the bytes of the section with header h, or nothing if they
// are not all in the file.
func (im *Image) sectionData(h []byte) []byte {
	off := binary.LittleEndian.Uint64(h[24:])
	size := binary.LittleEndian.Uint64(h[32:])
	data, _ := span(im.file, off, size)
	return data
}

// printableName returns the string at offset off of a string table, capped and
// with a question mark for every character that could upset a terminal or a log.
func printableName(names []byte, off uint32) string {
	const more = "..."
	raw := clip(names, uint64(off), maxSymbolName+1, maxSymbolName+1)
	name, _, _ := strings.Cut(string(raw), "\x00")
	suffix := ""
	if len(name) > maxSymbolName {
		name, suffix = name[:maxSymbolName-len(more)], more
	}
	name = strings.Map(func(r rune) rune {
		// An invalid byte arrives as RuneError, which is longer than one byte and
		// would break the cap.
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
	return name + suffix
}
