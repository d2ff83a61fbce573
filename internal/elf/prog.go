package elf

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// Types and flags of program headers, and tags of the dynamic table.
const (
	progLoad     = 1
	progDynamic  = 2
	progInterp   = 3
	progNote     = 4
	progGNUStack = 0x6474e551

	flagExec  = 1
	flagWrite = 2
	flagRead  = 4

	dynEntrySize = 16
	dynNull      = 0
	dynNeeded    = 1
	dynSoname    = 14
)

const (
	// maxInterpreter caps how much of the interpreter's name is quoted in an error.
	maxInterpreter = 128
	// maxDynamic caps how much of the dynamic table is searched. Real ones have
	// about thirty entries.
	maxDynamic = 4096 * dynEntrySize
)

// progHeader is one decoded program header.
//
// Guest-controlled: all fields but index hold what the file says.
type progHeader struct {
	index  int
	typ    uint32
	flags  uint32
	off    uint64
	vaddr  uint64
	filesz uint64
	memsz  uint64
	align  uint64
}

// readProgHeaders decodes the program headers. It checks their table; the
// headers themselves are checked by who uses them.
func readProgHeaders(file []byte, hdr *header, limit int) ([]progHeader, error) {
	if hdr.phnum == 0 {
		return nil, refuse(ErrNoSegments, "the file has no program headers (header field e_phnum is 0); "+
			"link it into a program: gcc -static")
	}
	if hdr.phentsize != progHeaderSize {
		return nil, refuse(ErrHeaderSize, "a program header has %d bytes (header field e_phentsize), not %d; "+
			"the file is damaged: build it again", hdr.phentsize, progHeaderSize)
	}
	if hdr.phnum == extendedCount {
		return nil, refuse(ErrHeaderCount, "the number of program headers is %#x (header field e_phnum), "+
			"which means more than fit there; the limit is %d: link without a special linker script",
			hdr.phnum, limit)
	}
	if int(hdr.phnum) > limit {
		return nil, refuse(ErrHeaderCount, "the file has %d program headers (header field e_phnum) "+
			"and the limit is %d; link without a special linker script", hdr.phnum, limit)
	}
	size := uint64(hdr.phnum) * progHeaderSize
	table, ok := span(file, hdr.phoff, size)
	if !ok {
		return nil, refuse(ErrHeaderTable, "the program headers at offset %#x (header field e_phoff) "+
			"with %#x bytes lie outside the file of %#x bytes; copy or build it again",
			hdr.phoff, size, len(file))
	}
	progs := make([]progHeader, hdr.phnum)
	for i := range progs {
		progs[i] = decodeProgHeader(i, table[i*progHeaderSize:])
	}
	return progs, nil
}

// decodeProgHeader decodes one header from raw, which holds at least
// progHeaderSize bytes.
func decodeProgHeader(index int, raw []byte) progHeader {
	return progHeader{
		index:  index,
		typ:    binary.LittleEndian.Uint32(raw[0:]),
		flags:  binary.LittleEndian.Uint32(raw[4:]),
		off:    binary.LittleEndian.Uint64(raw[8:]),
		vaddr:  binary.LittleEndian.Uint64(raw[16:]),
		filesz: binary.LittleEndian.Uint64(raw[32:]),
		memsz:  binary.LittleEndian.Uint64(raw[40:]),
		align:  binary.LittleEndian.Uint64(raw[48:]),
	}
}

// refuseDynamic refuses programs that need a dynamic linker. They would load
// and then crash; a clear error now is better. It is advice, not protection: a
// hostile file that hides its needs only harms itself.
func refuseDynamic(file []byte, kind Kind, progs []progHeader) error {
	for i := range progs {
		if p := &progs[i]; p.typ == progInterp {
			name := string(clip(file, p.off, p.filesz, maxInterpreter))
			name, _, _ = strings.Cut(name, "\x00")
			return refuse(ErrInterpreter, "the program is dynamically linked: it asks for the interpreter %s "+
				"(PT_INTERP); link it statically: CGO_ENABLED=0 go build (without -buildmode=pie), "+
				"gcc -static, or rustc -C target-feature=+crt-static", strconv.QuoteToASCII(name))
		}
	}
	if kind != KindPIE {
		return nil
	}
	for i := range progs {
		if p := &progs[i]; p.typ == progDynamic {
			if err := refuseLibrary(file, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// refuseLibrary searches the dynamic table for what a static PIE never has.
func refuseLibrary(file []byte, p *progHeader) error {
	table := clip(file, p.off, p.filesz, maxDynamic)
	for ; len(table) >= dynEntrySize; table = table[dynEntrySize:] {
		var what string
		switch binary.LittleEndian.Uint64(table) {
		case dynNull:
			return nil
		case dynNeeded:
			what = "it needs other libraries (DT_NEEDED)"
		case dynSoname:
			what = "it has a library name (DT_SONAME)"
		default:
			continue
		}
		return refuse(ErrSharedLibrary, "the file is a shared library, not a static program: %s; "+
			"link a program instead: gcc -static or gcc -static-pie, without -shared", what)
	}
	return nil
}

// wantsExecStack reports whether the program asks for an executable stack. No
// header means no, as in Linux for x86-64.
func wantsExecStack(progs []progHeader) bool {
	for i := range progs {
		if progs[i].typ == progGNUStack && progs[i].flags&flagExec != 0 {
			return true
		}
	}
	return false
}
