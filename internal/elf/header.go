package elf

import "encoding/binary"

// The layout of the ELF file header, from the System V ABI.
const (
	identSize      = 16
	headerSize     = 64
	progHeaderSize = 56

	identClass   = 4
	identData    = 5
	identVersion = 6
	identOSABI   = 7

	class32        = 1
	class64        = 2
	dataLittle     = 1
	dataBig        = 2
	versionCurrent = 1

	osabiSysV = 0
	osabiGNU  = 3

	typeRel  = 1
	typeExec = 2
	typeDyn  = 3
	typeCore = 4

	machineX8664 = 62

	// extendedCount in e_phnum means that the count is elsewhere, because it does
	// not fit.
	extendedCount = 0xffff
)

const elfMagic = "\x7fELF"

// header holds the fields of the file header that are used after it was checked.
//
// Guest-controlled: entry, the program header fields and the section header
// fields hold what the file says.
type header struct {
	kind  Kind
	entry uint64

	phoff     uint64
	phentsize uint16
	phnum     uint16

	shoff     uint64
	shentsize uint16
	shnum     uint16
}

// readHeader decodes and checks the file header, up to and including the kind of
// file. The tables that it points to are the business of their readers.
func readHeader(file []byte, maxFile int64) (header, error) {
	if len(file) == 0 {
		return header{}, refuse(ErrEmpty, "the file is empty; build the guest again")
	}
	if int64(len(file)) > maxFile {
		return header{}, refuse(ErrTooLarge, "the file has %d bytes and the limit is %d; "+
			"strip it (go build -ldflags='-s -w', strip) or raise the limit", len(file), maxFile)
	}
	if err := checkMagic(file); err != nil {
		return header{}, err
	}
	if err := checkIdent(file); err != nil {
		return header{}, err
	}
	raw, ok := span(file, 0, headerSize)
	if !ok {
		return header{}, truncated(file)
	}
	if err := checkMachine(binary.LittleEndian.Uint16(raw[18:])); err != nil {
		return header{}, err
	}
	if v := binary.LittleEndian.Uint32(raw[20:]); v != versionCurrent {
		return header{}, refuse(ErrVersion, "ELF version %d (header field e_version) is not %d; "+
			"the file is damaged or not a program: build it again", v, versionCurrent)
	}
	kind, err := checkType(binary.LittleEndian.Uint16(raw[16:]))
	if err != nil {
		return header{}, err
	}
	return header{
		kind:      kind,
		entry:     binary.LittleEndian.Uint64(raw[24:]),
		phoff:     binary.LittleEndian.Uint64(raw[32:]),
		shoff:     binary.LittleEndian.Uint64(raw[40:]),
		phentsize: binary.LittleEndian.Uint16(raw[54:]),
		phnum:     binary.LittleEndian.Uint16(raw[56:]),
		shentsize: binary.LittleEndian.Uint16(raw[58:]),
		shnum:     binary.LittleEndian.Uint16(raw[60:]),
	}, nil
}

// truncated is the error for a file that begins like ELF and ends too early.
func truncated(file []byte) error {
	return refuse(ErrTruncated, "the file ends after %d bytes, inside the ELF header of %d bytes; "+
		"copy or build it again", len(file), headerSize)
}

// checkIdent checks the first 16 bytes, which say how to read the others.
func checkIdent(file []byte) error {
	ident, ok := span(file, 0, identSize)
	if !ok {
		return truncated(file)
	}
	if class := ident[identClass]; class != class64 {
		what := "of unknown class"
		if class == class32 {
			what = "32-bit"
		}
		return refuse(ErrClass, "the file is %s (header field EI_CLASS is %d, not %d); "+
			"build for 64-bit x86: GOARCH=amd64, gcc -m64, or an x86_64 Rust target", what, class, class64)
	}
	if data := ident[identData]; data != dataLittle {
		what := "of unknown byte order"
		if data == dataBig {
			what = "big-endian"
		}
		return refuse(ErrByteOrder, "the file is %s (header field EI_DATA is %d, not %d); "+
			"build for x86-64: GOARCH=amd64, or an x86_64 compiler", what, data, dataLittle)
	}
	if v := ident[identVersion]; v != versionCurrent {
		return refuse(ErrVersion, "ELF version %d (header field EI_VERSION) is not %d; "+
			"the file is damaged or not a program: build it again", v, versionCurrent)
	}
	if abi := ident[identOSABI]; abi != osabiSysV && abi != osabiGNU {
		return refuse(ErrOSABI, "the file is built for %s (header field EI_OSABI is %d); "+
			"build for Linux: GOOS=linux, or a Linux compiler", osabiName(abi), abi)
	}
	return nil
}

// checkMachine refuses programs for other processors.
func checkMachine(machine uint16) error {
	if machine == machineX8664 {
		return nil
	}
	return refuse(ErrMachine, "the file is built for %s (header field e_machine is %d, not %d); "+
		"rebuild with GOARCH=amd64, an x86_64 compiler, or an x86_64 Rust target",
		machineName(machine), machine, machineX8664)
}

// checkType maps the type in the header to a Kind, or explains why the file
// can't be run.
func checkType(typ uint16) (Kind, error) {
	switch typ {
	case typeExec:
		return KindExec, nil
	case typeDyn:
		return KindPIE, nil
	case typeRel:
		return KindInvalid, refuse(ErrType, "the file is a relocatable object "+
			"(header field e_type is ET_REL); link it into a program: gcc -static -o guest file.o")
	case typeCore:
		return KindInvalid, refuse(ErrType, "the file is a core dump "+
			"(header field e_type is ET_CORE); give the program that made it")
	}
	return KindInvalid, refuse(ErrType, "the file has the unknown type %#x (header field e_type); "+
		"give an executable (ET_EXEC or static PIE)", typ)
}
