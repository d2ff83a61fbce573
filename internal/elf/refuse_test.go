package elf

import (
	debugelf "debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// refusal is one file that Parse must refuse.
type refusal struct {
	name string
	// edit changes the sound program before it is laid out.
	edit func(b *builder)
	// raw changes, or replaces, the bytes of the file.
	raw func(file []byte) []byte
	// limits changes the limits.
	limits  func(lim *Limits)
	reason  Reason
	segment int
	// want are parts of the message.
	want []string
}

// bytesOf replaces the file.
func bytesOf(s string) func([]byte) []byte {
	return func([]byte) []byte { return []byte(s) }
}

// setByte changes one byte of the file.
func setByte(off int, v byte) func([]byte) []byte {
	return func(file []byte) []byte { file[off] = v; return file }
}

var headerRefusals = []refusal{
	{name: "nil", raw: func([]byte) []byte { return nil }, reason: ErrEmpty, want: []string{"empty"}},
	{name: "empty", raw: bytesOf(""), reason: ErrEmpty, want: []string{"empty"}},
	{
		name: "large", limits: func(l *Limits) { l.MaxFile = 100 }, reason: ErrTooLarge,
		want: []string{"896 bytes", "limit is 100", "strip"},
	},
	{name: "part of the magic", raw: bytesOf("\x7fE"), reason: ErrTruncated, want: []string{"after 2 bytes"}},
	{name: "magic only", raw: bytesOf("\x7fELF"), reason: ErrTruncated, want: []string{"after 4 bytes"}},
	{
		name: "part of the header", raw: func(f []byte) []byte { return f[:63] },
		reason: ErrTruncated, want: []string{"after 63 bytes", "64 bytes"},
	},
	{name: "one foreign byte", raw: bytesOf("x"), reason: ErrMagic, want: []string{"not ELF", "bytes 78,"}},
	{name: "text", raw: bytesOf("hello, world"), reason: ErrMagic, want: []string{"68 65 6c 6c", "7f 45 4c 46"}},
	{name: "script", raw: bytesOf("#!/bin/sh\n"), reason: ErrMagic, want: []string{"script"}},
	{name: "Mach-O", raw: bytesOf("\xcf\xfa\xed\xfe\x07"), reason: ErrMagic, want: []string{"Mach-O", "GOOS=linux"}},
	{name: "universal", raw: bytesOf("\xca\xfe\xba\xbe"), reason: ErrMagic, want: []string{"Mach-O", "Java"}},
	{name: "PE", raw: bytesOf("MZ\x90\x00"), reason: ErrMagic, want: []string{"Windows", "GOOS=linux"}},
	{name: "wasm", raw: bytesOf("\x00asm\x01\x00\x00\x00"), reason: ErrMagic, want: []string{"WebAssembly"}},
	{name: "gzip", raw: bytesOf("\x1f\x8b\x08"), reason: ErrMagic, want: []string{"gzip", "unpack"}},
	{name: "zip", raw: bytesOf("PK\x03\x04"), reason: ErrMagic, want: []string{"zip", "unpack"}},
	{name: "archive", raw: bytesOf("!<arch>\nxx"), reason: ErrMagic, want: []string{"static library", "gcc -static"}},
	{name: "32-bit", raw: setByte(4, 1), reason: ErrClass, want: []string{"32-bit", "EI_CLASS", "GOARCH=amd64"}},
	{name: "class", raw: setByte(4, 3), reason: ErrClass, want: []string{"unknown class", "is 3"}},
	{name: "big-endian", raw: setByte(5, 2), reason: ErrByteOrder, want: []string{"big-endian", "EI_DATA"}},
	{name: "byte order", raw: setByte(5, 0), reason: ErrByteOrder, want: []string{"unknown byte order", "is 0"}},
	{name: "ident version", raw: setByte(6, 2), reason: ErrVersion, want: []string{"EI_VERSION", "version 2"}},
	{name: "version", raw: setByte(20, 9), reason: ErrVersion, want: []string{"e_version", "version 9"}},
	{name: "FreeBSD", raw: setByte(7, 9), reason: ErrOSABI, want: []string{"FreeBSD", "EI_OSABI", "GOOS=linux"}},
	{name: "OS ABI", raw: setByte(7, 77), reason: ErrOSABI, want: []string{"unknown operating system 77"}},
	{name: "aarch64", raw: setByte(18, 183), reason: ErrMachine, want: []string{"aarch64", "e_machine", "GOARCH=amd64"}},
	{name: "riscv", raw: setByte(18, 243), reason: ErrMachine, want: []string{"riscv"}},
	{name: "machine", raw: setByte(18, 99), reason: ErrMachine, want: []string{"unknown processor 99"}},
	{name: "object", raw: setByte(16, 1), reason: ErrType, want: []string{"relocatable", "ET_REL", "gcc -static"}},
	{name: "core", raw: setByte(16, 4), reason: ErrType, want: []string{"core dump", "ET_CORE"}},
	{name: "type", raw: setByte(17, 0xfe), reason: ErrType, want: []string{"0xfe02", "e_type"}},
}

var tableRefusals = []refusal{
	{
		name: "header size", edit: func(b *builder) { b.header.Phentsize = 32 }, reason: ErrHeaderSize,
		want: []string{"32 bytes", "e_phentsize", "56"},
	},
	{
		name: "no headers", edit: func(b *builder) { b.progs = nil }, reason: ErrNoSegments,
		want: []string{"e_phnum is 0"},
	},
	{
		name: "extended count", edit: func(b *builder) { b.header.Phnum = 0xffff }, reason: ErrHeaderCount,
		want: []string{"0xffff", "limit is 64"},
	},
	{
		name: "too many", edit: func(b *builder) { b.header.Phnum = 65 }, reason: ErrHeaderCount,
		want: []string{"65 program headers", "limit is 64"},
	},
	{
		name: "too many for the caller", limits: func(l *Limits) { l.MaxSegments = 3 }, reason: ErrHeaderCount,
		want: []string{"4 program headers", "limit is 3"},
	},
	{
		name: "table ends outside", edit: func(b *builder) { b.header.Phoff = 0x380 - 4*56 + 1 },
		reason: ErrHeaderTable, want: []string{"0x2a1", "e_phoff", "0xe0 bytes", "0x380 bytes"},
	},
	{
		name: "table starts outside", edit: func(b *builder) { b.header.Phoff = 1 << 40 },
		reason: ErrHeaderTable, want: []string{"0x10000000000"},
	},
	{
		name: "table wraps", edit: func(b *builder) { b.header.Phoff = ^uint64(0) - 55 },
		reason: ErrHeaderTable, want: []string{"0xffffffffffffffc8"},
	},
	{
		name: "interpreter",
		edit: func(b *builder) { b.addProg(debugelf.PT_INTERP, []byte("/lib64/ld-linux-x86-64.so.2\x00junk")) },
		want: []string{
			`interpreter "/lib64/ld-linux-x86-64.so.2" `, "CGO_ENABLED=0 go build", "gcc -static",
			"-C target-feature=+crt-static",
		},
		reason: ErrInterpreter,
	},
	{
		name: "hostile interpreter", reason: ErrInterpreter,
		edit: func(b *builder) {
			b.addProg(debugelf.PT_INTERP, []byte("\x1b[2J\n\xff"+strings.Repeat("y", 1000)))
		},
		want: []string{`"\x1b[2J\n\xff` + strings.Repeat("y", maxInterpreter-6) + `"`},
	},
	{
		name: "interpreter outside", reason: ErrInterpreter,
		edit: func(b *builder) { b.addProg(debugelf.PT_INTERP, nil).Off = ^uint64(0) },
		want: []string{`interpreter "" `},
	},
	{
		name: "library with needs", reason: ErrSharedLibrary,
		edit: func(b *builder) { b.makePIE(); b.addDynamic(debugelf.DT_STRTAB, debugelf.DT_NEEDED) },
		want: []string{"shared library", "DT_NEEDED", "-static-pie"},
	},
	{
		name: "library with a name", reason: ErrSharedLibrary,
		edit: func(b *builder) { b.makePIE(); b.addDynamic(debugelf.DT_SONAME) },
		want: []string{"shared library", "DT_SONAME"},
	},
}

// addDynamic adds a dynamic table with the given tags.
func (b *builder) addDynamic(tags ...debugelf.DynTag) {
	var table []byte
	for _, tag := range append(tags, debugelf.DT_NULL) {
		table = binary.LittleEndian.AppendUint64(table, uint64(tag))
		table = binary.LittleEndian.AppendUint64(table, 0)
	}
	b.addProg(debugelf.PT_DYNAMIC, table)
}

// wantSegment returns the segment that the error must name. No row is about
// segment zero, so the tables leave it out where there is none.
func (r *refusal) wantSegment() int {
	if r.segment == 0 {
		return NoSegment
	}
	return r.segment
}

func TestParseRefuses(t *testing.T) {
	var seen [reasonCount]bool
	for _, table := range [][]refusal{headerRefusals, tableRefusals, segmentRefusals} {
		for _, tt := range table {
			seen[tt.reason] = true
			t.Run(tt.name, func(t *testing.T) { checkRefusal(t, &tt) })
		}
	}
	for r := reasonInvalid + 1; r < reasonCount; r++ {
		if !seen[r] {
			t.Errorf("no row for the reason %v", r)
		}
	}
}

func checkRefusal(t *testing.T, tt *refusal) {
	t.Helper()
	b := newBuilder()
	if tt.edit != nil {
		tt.edit(b)
	}
	file := b.bytes(t)
	if tt.raw != nil {
		file = tt.raw(file)
	}
	lim := testLimits()
	if tt.limits != nil {
		tt.limits(&lim)
	}
	im, err := Parse(file, lim)
	if im != nil || err == nil {
		t.Fatalf("Parse = %v, %v, want a refusal", im, err)
	}
	if !errors.Is(err, tt.reason) {
		t.Errorf("error %q is not %q", err, tt.reason)
	}
	var fe *FormatError
	if !errors.As(err, &fe) {
		t.Fatalf("error is a %T", err)
	}
	if fe.Reason != tt.reason || fe.Segment != tt.wantSegment() {
		t.Errorf("error has reason %v and segment %d, want %v and %d", fe.Reason, fe.Segment, tt.reason, tt.wantSegment())
	}
	if !strings.HasPrefix(err.Error(), "elf: ") || len(err.Error()) > 600 {
		t.Errorf("odd message %q", err)
	}
	for _, want := range tt.want {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("message %q lacks %q", err, want)
		}
	}
}

func TestReasonTexts(t *testing.T) {
	texts := map[string]Reason{}
	for r := range reasonCount {
		text := r.Error()
		if text == "elf: " {
			t.Errorf("reason %d has no text", r)
		}
		if other, ok := texts[text]; ok {
			t.Errorf("reasons %d and %d share the text %q", r, other, text)
		}
		texts[text] = r
	}
	if got, want := Reason(255).Error(), reasonInvalid.Error(); got != want {
		t.Errorf("text of an unknown reason = %q, want %q", got, want)
	}
}

// TestNames checks the numbers of the names against debug/elf.
func TestNames(t *testing.T) {
	for _, tt := range []struct {
		number fmt.Stringer
		got    string
		want   string
	}{
		{debugelf.EM_NONE, machineName(uint16(debugelf.EM_NONE)), "no machine"},
		{debugelf.EM_SPARCV9, machineName(uint16(debugelf.EM_SPARCV9)), "sparc"},
		{debugelf.EM_386, machineName(uint16(debugelf.EM_386)), "386"},
		{debugelf.EM_MIPS, machineName(uint16(debugelf.EM_MIPS)), "mips"},
		{debugelf.EM_PPC, machineName(uint16(debugelf.EM_PPC)), "32-bit powerpc"},
		{debugelf.EM_PPC64, machineName(uint16(debugelf.EM_PPC64)), "powerpc64"},
		{debugelf.EM_S390, machineName(uint16(debugelf.EM_S390)), "s390x"},
		{debugelf.EM_ARM, machineName(uint16(debugelf.EM_ARM)), "32-bit arm"},
		{debugelf.EM_IA_64, machineName(uint16(debugelf.EM_IA_64)), "itanium"},
		{debugelf.EM_AARCH64, machineName(uint16(debugelf.EM_AARCH64)), "aarch64"},
		{debugelf.EM_RISCV, machineName(uint16(debugelf.EM_RISCV)), "riscv"},
		{debugelf.EM_BPF, machineName(uint16(debugelf.EM_BPF)), "bpf"},
		{debugelf.EM_LOONGARCH, machineName(uint16(debugelf.EM_LOONGARCH)), "loongarch"},
		{debugelf.ELFOSABI_HPUX, osabiName(byte(debugelf.ELFOSABI_HPUX)), "HP-UX"},
		{debugelf.ELFOSABI_NETBSD, osabiName(byte(debugelf.ELFOSABI_NETBSD)), "NetBSD"},
		{debugelf.ELFOSABI_SOLARIS, osabiName(byte(debugelf.ELFOSABI_SOLARIS)), "Solaris"},
		{debugelf.ELFOSABI_AIX, osabiName(byte(debugelf.ELFOSABI_AIX)), "AIX"},
		{debugelf.ELFOSABI_FREEBSD, osabiName(byte(debugelf.ELFOSABI_FREEBSD)), "FreeBSD"},
		{debugelf.ELFOSABI_OPENBSD, osabiName(byte(debugelf.ELFOSABI_OPENBSD)), "OpenBSD"},
		{debugelf.ELFOSABI_STANDALONE, osabiName(byte(debugelf.ELFOSABI_STANDALONE)), "no operating system"},
	} {
		if !strings.Contains(tt.got, tt.want) {
			t.Errorf("%v is named %q, want %q", tt.number, tt.got, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	file := newBuilder().bytes(t)
	for _, tt := range []struct {
		want string
		lim  Limits
	}{
		{"UserEnd is not set", Limits{}},
		{"UserEnd 0x1000000000000 is above", Limits{UserEnd: 1 << 48}},
		{"MaxFile is negative", Limits{UserEnd: 1 << 40, MaxFile: -1}},
		{"MaxSegments is negative", Limits{UserEnd: 1 << 40, MaxSegments: -1}},
		{"is not below UserEnd", Limits{UserEnd: 1 << 40, UserStart: 1 << 40}},
		{"not a multiple", Limits{UserEnd: 1 << 40, PIEBase: 0x400001}},
		{"outside", Limits{UserEnd: 1 << 40, PIEBase: 0x1000}},
		{"outside", Limits{UserEnd: 1 << 40, PIEBase: 1 << 40}},
	} {
		im, err := Parse(file, tt.lim)
		if im != nil || !errors.Is(err, ErrLimits) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Parse with %+v = %v, %v, want %q", tt.lim, im, err, tt.want)
		}
	}
}
