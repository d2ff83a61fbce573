package elf

import (
	"bytes"
	debugelf "debug/elf"
	"encoding/binary"
	"slices"
	"testing"
)

// Where the builder puts things in the file. The segments get addresses that
// agree with these offsets modulo the page size, so a whole program fits in
// little more than a kilobyte, which keeps fuzzing fast.
const (
	progsOff = 0x40
	textOff  = 0x300
	dataOff  = 0x340
	extraOff = 0x380
)

// Addresses of the program that newBuilder describes.
const (
	headAddr = 0x400000
	textAddr = 0x401000 + textOff
	dataAddr = 0x402000 + dataOff
	textSize = 0x40
	dataSize = 0x20
	bssSize  = 0x1000
)

// Indexes of the program headers that newBuilder makes.
const (
	progHead = iota
	progText
	progData
	progStack
)

// builder describes an ELF file. Its tables are those of debug/elf, so that the
// tests do not repeat the package's own idea of the layout.
type builder struct {
	header   debugelf.Header64
	progs    []debugelf.Prog64
	sections []debugelf.Section64
	// extra is placed at extraOff, and the section headers behind it.
	extra []byte
}

// newBuilder describes a small, sound, static program: headers, text, data with
// bss, and the stack marker.
func newBuilder() *builder {
	b := &builder{
		header: debugelf.Header64{
			Type:      uint16(debugelf.ET_EXEC),
			Machine:   uint16(debugelf.EM_X86_64),
			Version:   uint32(debugelf.EV_CURRENT),
			Entry:     textAddr + 0x10,
			Phoff:     progsOff,
			Ehsize:    64,
			Phentsize: 56,
			Shentsize: 64,
		},
		progs: []debugelf.Prog64{
			loadProg(debugelf.PF_R, 0, headAddr, textOff, textOff),
			loadProg(debugelf.PF_R|debugelf.PF_X, textOff, textAddr, textSize, textSize),
			loadProg(debugelf.PF_R|debugelf.PF_W, dataOff, dataAddr, dataSize, dataSize+bssSize),
			{Type: uint32(debugelf.PT_GNU_STACK), Flags: uint32(debugelf.PF_R | debugelf.PF_W), Align: 16},
		},
	}
	copy(b.header.Ident[:], "\x7fELF\x02\x01\x01\x00")
	return b
}

func loadProg(flags debugelf.ProgFlag, off, addr, filesz, memsz uint64) debugelf.Prog64 {
	return debugelf.Prog64{
		Type: uint32(debugelf.PT_LOAD), Flags: uint32(flags),
		Off: off, Vaddr: addr, Paddr: addr, Filesz: filesz, Memsz: memsz, Align: PageSize,
	}
}

// addProg appends a program header of the given type for data that it places in
// the file.
func (b *builder) addProg(typ debugelf.ProgType, data []byte) *debugelf.Prog64 {
	off := b.place(data)
	b.progs = append(b.progs, debugelf.Prog64{
		Type: uint32(typ), Flags: uint32(debugelf.PF_R), Off: off, Filesz: uint64(len(data)), Align: 4,
	})
	return &b.progs[len(b.progs)-1]
}

// place appends data to the file and returns its offset.
func (b *builder) place(data []byte) uint64 {
	for len(b.extra)%8 != 0 {
		b.extra = append(b.extra, 0)
	}
	off := uint64(extraOff + len(b.extra))
	b.extra = append(b.extra, data...)
	return off
}

// makePIE turns the program into a static PIE linked at address zero.
func (b *builder) makePIE() {
	b.header.Type = uint16(debugelf.ET_DYN)
	b.header.Entry -= headAddr
	for i := range b.progs {
		if debugelf.ProgType(b.progs[i].Type) == debugelf.PT_LOAD {
			b.progs[i].Vaddr -= headAddr
		}
	}
}

// addSymbols appends a symbol table, its string table and their section headers.
func (b *builder) addSymbols(table, names []byte) {
	if len(b.sections) == 0 {
		b.sections = append(b.sections, debugelf.Section64{})
	}
	link := uint32(len(b.sections) + 1)
	b.sections = append(b.sections,
		debugelf.Section64{
			Type: uint32(debugelf.SHT_SYMTAB), Off: b.place(table), Size: uint64(len(table)),
			Link: link, Entsize: debugelf.Sym64Size, Addralign: 8,
		},
		debugelf.Section64{
			Type: uint32(debugelf.SHT_STRTAB), Off: b.place(names), Size: uint64(len(names)), Addralign: 1,
		})
}

// bytes lays the file out.
func (b *builder) bytes(tb testing.TB) []byte {
	tb.Helper()
	hdr := b.header
	if hdr.Phnum == 0 {
		hdr.Phnum = uint16(len(b.progs))
	}
	extra := slices.Clone(b.extra)
	for len(extra)%8 != 0 {
		extra = append(extra, 0)
	}
	if len(b.sections) > 0 {
		if hdr.Shoff == 0 {
			hdr.Shoff = uint64(extraOff + len(extra))
		}
		if hdr.Shnum == 0 {
			hdr.Shnum = uint16(len(b.sections))
		}
		extra = append(extra, encode(tb, b.sections)...)
	}
	head := append(encode(tb, hdr), encode(tb, b.progs)...)
	file := make([]byte, max(extraOff+len(extra), len(head)))
	for i := textOff; i < dataOff; i++ {
		file[i] = 0xcc
	}
	copy(file[dataOff:], "some initial data")
	copy(file[extraOff:], extra)
	copy(file, head)
	return file
}

// encode returns the little-endian bytes of a fixed-size value or a slice of
// them.
func encode(tb testing.TB, v any) []byte {
	tb.Helper()
	var buf bytes.Buffer
	if err := binary.Write(&buf, binary.LittleEndian, v); err != nil {
		tb.Fatal(err)
	}
	return buf.Bytes()
}

// note returns the bytes of one note, padded to align.
func note(owner string, typ uint32, desc []byte, align int) []byte {
	pad := func(b []byte) []byte {
		for len(b)%align != 0 {
			b = append(b, 0)
		}
		return b
	}
	var b []byte
	b = binary.LittleEndian.AppendUint32(b, uint32(len(owner)))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(desc)))
	b = binary.LittleEndian.AppendUint32(b, typ)
	b = pad(append(b, owner...))
	return pad(append(b, desc...))
}

// symbols encodes a symbol table and the names for it. The first entry of both
// is the empty one, as linkers write it.
func symbols(tb testing.TB, named map[string]debugelf.Sym64) (table, names []byte) {
	tb.Helper()
	names = []byte{0}
	list := []debugelf.Sym64{{}}
	for name, sym := range named {
		sym.Name = uint32(len(names))
		names = append(append(names, name...), 0)
		list = append(list, sym)
	}
	return encode(tb, list), names
}

// function returns a defined function symbol.
func function(addr, size uint64, bind debugelf.SymBind) debugelf.Sym64 {
	return debugelf.Sym64{Info: debugelf.ST_INFO(bind, debugelf.STT_FUNC), Shndx: 1, Value: addr, Size: size}
}

// testLimits are roomy limits that no test program meets by accident.
func testLimits() Limits { return Limits{UserEnd: 0x7000_0000_0000} }

// checkInvariants fails the test if an accepted image breaks a promise that its
// documentation makes.
func checkInvariants(tb testing.TB, file []byte, lim Limits, im *Image) {
	tb.Helper()
	lim, err := lim.withDefaults()
	if err != nil {
		tb.Fatalf("an image was accepted with bad limits: %v", err)
	}
	if im.Kind != KindExec && im.Kind != KindPIE || im.Kind == KindExec && im.Bias != 0 {
		tb.Errorf("kind %v with bias %#x", im.Kind, im.Bias)
	}
	if n := len(im.Segments); n == 0 || n > lim.MaxSegments {
		tb.Errorf("%d segments", n)
	}
	var total uint64
	entryOK := false
	prevEnd := lim.UserStart
	for i := range im.Segments {
		s := &im.Segments[i]
		checkSegment(tb, file, im.Bias, s)
		if s.PageStart() < prevEnd || s.PageEnd() > lim.UserEnd {
			tb.Errorf("segment %d: pages %#x-%#x outside %#x-%#x", i, s.PageStart(), s.PageEnd(), prevEnd, lim.UserEnd)
		}
		prevEnd = s.PageEnd()
		total += s.PageEnd() - s.PageStart()
		entryOK = entryOK || s.Perm&PermExec != 0 && im.Entry >= s.Addr && im.Entry < s.End()
	}
	if !entryOK {
		tb.Errorf("entry %#x is not in an executable segment", im.Entry)
	}
	if total > lim.MaxMemory || total != im.Memory() {
		tb.Errorf("memory is %#x, Memory returns %#x, the limit is %#x", total, im.Memory(), lim.MaxMemory)
	}
	checkPhdrAddr(tb, file, im)
}

// checkSegment checks one segment by itself: above all, that its data are those
// bytes of the file that some program header names.
func checkSegment(tb testing.TB, file []byte, bias uint64, s *Segment) {
	tb.Helper()
	if s.MemSize == 0 || uint64(len(s.Data)) > s.MemSize {
		tb.Errorf("segment at %#x: %#x bytes of data in %#x bytes of memory", s.Addr, len(s.Data), s.MemSize)
	}
	if s.Perm&PermWrite != 0 && s.Perm&PermExec != 0 {
		tb.Errorf("segment at %#x: permissions %v", s.Addr, s.Perm)
	}
	if s.End() < s.Addr || s.PageStart() > s.Addr || s.PageEnd() < s.End() {
		tb.Errorf("segment at %#x wraps: size %#x, pages %#x-%#x", s.Addr, s.MemSize, s.PageStart(), s.PageEnd())
	}
	if cap(s.Data) != len(s.Data) {
		tb.Errorf("segment at %#x: data has room to grow", s.Addr)
	}
	for _, p := range rawProgs(tb, file) {
		if debugelf.ProgType(p.Type) != debugelf.PT_LOAD || p.Vaddr+bias != s.Addr || p.Memsz != s.MemSize ||
			p.Filesz != uint64(len(s.Data)) {
			continue
		}
		if p.Filesz == 0 || &file[p.Off] == &s.Data[0] {
			return
		}
	}
	tb.Errorf("segment at %#x comes from no program header", s.Addr)
}

// checkPhdrAddr checks that the program will find its program headers where it
// is told.
func checkPhdrAddr(tb testing.TB, file []byte, im *Image) {
	tb.Helper()
	if im.PhdrSize != 56 || im.PhdrCount < 1 {
		tb.Errorf("%d program headers of %d bytes", im.PhdrCount, im.PhdrSize)
	}
	if im.PhdrAddr == 0 {
		return
	}
	want := encode(tb, rawProgs(tb, file))
	for i := range im.Segments {
		s := &im.Segments[i]
		if im.PhdrAddr < s.Addr || im.PhdrAddr-s.Addr >= uint64(len(s.Data)) {
			continue
		}
		if !bytes.HasPrefix(s.Data[im.PhdrAddr-s.Addr:], want) {
			tb.Errorf("no program headers at %#x", im.PhdrAddr)
		}
		return
	}
	tb.Errorf("program headers at %#x are in no segment", im.PhdrAddr)
}

// rawProgs decodes the program headers of an accepted file.
func rawProgs(tb testing.TB, file []byte) []debugelf.Prog64 {
	tb.Helper()
	var hdr debugelf.Header64
	if err := binary.Read(bytes.NewReader(file), binary.LittleEndian, &hdr); err != nil {
		tb.Fatal(err)
	}
	progs := make([]debugelf.Prog64, hdr.Phnum)
	if err := binary.Read(bytes.NewReader(file[hdr.Phoff:]), binary.LittleEndian, progs); err != nil {
		tb.Fatal(err)
	}
	return progs
}
