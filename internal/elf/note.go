package elf

import (
	"bytes"
	"encoding/binary"
)

const (
	noteHeaderSize = 12
	// maxNotes caps how much of one PT_NOTE segment is searched. Real ones have
	// about a hundred bytes.
	maxNotes = 64 << 10
)

// noteSegment is the part of a PT_NOTE segment that lies in the file.
//
// Guest-controlled: the bytes are unchecked.
type noteSegment struct {
	data []byte
	// align is the granule to which the parts of a note are padded.
	align uint64
}

// noteSegments collects the note segments. A defect in them is no reason to
// refuse a program, for nothing about loading depends on them.
func noteSegments(file []byte, progs []progHeader) []noteSegment {
	var notes []noteSegment
	for i := range progs {
		p := &progs[i]
		if p.typ != progNote {
			continue
		}
		// Notes are padded to four bytes, except in segments that hold GNU
		// properties, which say so by their alignment.
		align := uint64(4)
		if p.align == 8 {
			align = 8
		}
		if data := clip(file, p.off, p.filesz, maxNotes); len(data) >= noteHeaderSize {
			notes = append(notes, noteSegment{data: data, align: align})
		}
	}
	return notes
}

// Note returns the contents of the program's first note of the given owner and
// type, such as "GNU" and 3 for the linker's build ID or "Go" and 4 for Go's.
//
// The bytes alias the slice that was given to Parse. They are what the guest's
// author wrote, at most 64 KiB, and unchecked.
func (im *Image) Note(owner string, typ uint32) (desc []byte, ok bool) {
	for _, n := range im.notes {
		if desc, ok = n.find(owner, typ); ok {
			return desc, true
		}
	}
	return nil, false
}

// find walks the notes of one segment. It stops at the first one that does not
// fit, since the place of the next is unknown.
func (n noteSegment) find(owner string, typ uint32) (desc []byte, ok bool) {
	for data := n.data; len(data) >= noteHeaderSize; {
		// Guest-controlled: both sizes. As 32-bit values widened to 64 bits, their
		// sums can't wrap.
		nameSize := uint64(binary.LittleEndian.Uint32(data[0:]))
		descSize := uint64(binary.LittleEndian.Uint32(data[4:]))
		name, nameOK := span(data, noteHeaderSize, nameSize)
		descOff := alignUp(noteHeaderSize+nameSize, n.align)
		desc, descOK := span(data, descOff, descSize)
		if !nameOK || !descOK {
			return nil, false
		}
		// Go pads the name inside its size, so there may be several zero bytes.
		if binary.LittleEndian.Uint32(data[8:]) == typ && string(bytes.TrimRight(name, "\x00")) == owner {
			return desc, true
		}
		// The last note may lack its padding.
		data = data[min(alignUp(descOff+descSize, n.align), uint64(len(data))):]
	}
	return nil, false
}
