package elf

import "fmt"

// Reason is the kind of defect for which a file was refused. Each Reason is an
// error, so that errors.Is(err, elf.ErrInterpreter) works on what Parse returns.
type Reason uint8

// The reasons for which Parse refuses a file.
const (
	// reasonInvalid is zero, so that a forgotten Reason can't pass for a real one.
	reasonInvalid Reason = iota

	// ErrEmpty means that the file has no bytes.
	ErrEmpty
	// ErrTooLarge means that the file is longer than Limits.MaxFile.
	ErrTooLarge
	// ErrTruncated means that the file ends inside the ELF header.
	ErrTruncated
	// ErrMagic means that the file is not an ELF file.
	ErrMagic
	// ErrClass means that the file is not a 64-bit ELF file.
	ErrClass
	// ErrByteOrder means that the file is not little-endian.
	ErrByteOrder
	// ErrVersion means that the file states an unknown ELF version.
	ErrVersion
	// ErrOSABI means that the file was built for another operating system.
	ErrOSABI
	// ErrMachine means that the file was built for another processor.
	ErrMachine
	// ErrType means that the file is not an executable but, say, an object file.
	ErrType
	// ErrHeaderSize means that the program headers do not have the size of the
	// 64-bit format.
	ErrHeaderSize
	// ErrHeaderCount means that there are more program headers than
	// Limits.MaxSegments.
	ErrHeaderCount
	// ErrHeaderTable means that the program headers lie outside the file.
	ErrHeaderTable
	// ErrInterpreter means that the program is dynamically linked: it asks for an
	// interpreter.
	ErrInterpreter
	// ErrSharedLibrary means that the file is a shared library, or needs some, and
	// is not a static executable.
	ErrSharedLibrary
	// ErrNoSegments means that nothing in the file is to be loaded.
	ErrNoSegments
	// ErrFileSize means that a segment has more bytes in the file than in memory.
	ErrFileSize
	// ErrFileRange means that the bytes of a segment lie outside the file.
	ErrFileRange
	// ErrWriteExec means that a segment is both writable and executable.
	ErrWriteExec
	// ErrAlignment means that a segment can't be placed on pages as it asks.
	ErrAlignment
	// ErrAddressOverflow means that the addresses of a segment wrap around.
	ErrAddressOverflow
	// ErrAddressRange means that a segment lies outside the addresses that a guest
	// program may use.
	ErrAddressRange
	// ErrOverlap means that two segments overlap or share a page.
	ErrOverlap
	// ErrMemory means that the segments need more memory than Limits.MaxMemory.
	ErrMemory
	// ErrEntry means that the entry point is not in an executable segment.
	ErrEntry

	reasonCount
)

// reasonText is an array, not a map, so that a lookup allocates nothing and a
// test can check that no Reason lacks a text.
var reasonText = [reasonCount]string{
	reasonInvalid:      "unknown reason",
	ErrEmpty:           "empty file",
	ErrTooLarge:        "file too large",
	ErrTruncated:       "truncated header",
	ErrMagic:           "not an ELF file",
	ErrClass:           "not a 64-bit file",
	ErrByteOrder:       "not little-endian",
	ErrVersion:         "unknown ELF version",
	ErrOSABI:           "built for another operating system",
	ErrMachine:         "built for another processor",
	ErrType:            "not an executable",
	ErrHeaderSize:      "wrong program header size",
	ErrHeaderCount:     "too many program headers",
	ErrHeaderTable:     "program headers outside the file",
	ErrInterpreter:     "dynamically linked executable",
	ErrSharedLibrary:   "shared library",
	ErrNoSegments:      "nothing to load",
	ErrFileSize:        "segment larger in the file than in memory",
	ErrFileRange:       "segment outside the file",
	ErrWriteExec:       "segment both writable and executable",
	ErrAlignment:       "bad segment alignment",
	ErrAddressOverflow: "segment address overflow",
	ErrAddressRange:    "segment address out of range",
	ErrOverlap:         "segments overlap",
	ErrMemory:          "image too large for memory",
	ErrEntry:           "bad entry point",
}

// Error returns a short text for the reason, without the details of one file.
func (r Reason) Error() string {
	if r >= reasonCount {
		r = reasonInvalid
	}
	return "elf: " + reasonText[r]
}

// NoSegment is the Segment of a FormatError that is not about one segment.
const NoSegment = -1

// FormatError says why a file was refused. It satisfies errors.Is for its
// Reason.
type FormatError struct {
	// Reason is the kind of defect.
	Reason Reason
	// Segment is the index of the offending program header, or NoSegment.
	Segment int
	// Msg says what is wrong, where, and what to do about it. Text from the file
	// is quoted and capped in it.
	Msg string
}

// Error returns the message, with the segment that it is about.
func (e *FormatError) Error() string {
	if e.Segment == NoSegment {
		return "elf: " + e.Msg
	}
	return fmt.Sprintf("elf: segment %d: %s", e.Segment, e.Msg)
}

// Unwrap returns the Reason.
func (e *FormatError) Unwrap() error { return e.Reason }

// refuse makes the error for a defect of the file as a whole.
func refuse(r Reason, format string, args ...any) error {
	return &FormatError{Reason: r, Segment: NoSegment, Msg: fmt.Sprintf(format, args...)}
}

// refuse makes the error for a defect of this program header.
func (p *progHeader) refuse(r Reason, format string, args ...any) error {
	return &FormatError{Reason: r, Segment: p.index, Msg: fmt.Sprintf(format, args...)}
}
