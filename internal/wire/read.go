package wire

import "encoding/binary"

// view is a table in a verified message. Its methods trust the verifier: what
// they can't read makes them panic, which decode reports as ErrVerifier.
type view struct {
	msg []byte
	pos uint64
}

// field returns where field i lies, or 0 if it is not there.
func (t view) field(i uint64) uint64 {
	vtable := t.pos - uint64(int64(int32(t.u32(t.pos)))) //nolint:gosec // G115: two's complement is meant
	entry := 4 + 2*i
	if entry >= uint64(t.u16(vtable)) {
		return 0
	}
	offset := uint64(t.u16(vtable + entry))
	if offset == 0 {
		return 0
	}
	return t.pos + offset
}

// byteAt, wordAt and longAt return a scalar, which is 0 if it is not there.

func (t view) byteAt(i uint64) uint8 {
	if at := t.field(i); at != 0 {
		return t.msg[at]
	}
	return 0
}

func (t view) wordAt(i uint64) uint32 {
	if at := t.field(i); at != 0 {
		return t.u32(at)
	}
	return 0
}

func (t view) longAt(i uint64) uint64 {
	if at := t.field(i); at != 0 {
		return binary.LittleEndian.Uint64(t.msg[at:])
	}
	return 0
}

// bytesAt returns the bytes of a text or of a vector of bytes: a part of the
// message, whose capacity ends with it, so that an append copies.
func (t view) bytesAt(i uint64) []byte {
	start, n := t.vectorAt(i)
	return t.msg[start : start+n : start+n]
}

// textAt returns a copy of a text.
func (t view) textAt(i uint64) string { return string(t.bytesAt(i)) }

// vectorAt returns where the items of a vector lie and how many there are.
func (t view) vectorAt(i uint64) (start, n uint64) {
	at := t.field(i)
	if at == 0 {
		return 0, 0
	}
	pos := at + uint64(t.u32(at))
	return pos + 4, uint64(t.u32(pos))
}

// tableAt returns the table that the offset at the given position leads to.
func (t view) tableAt(at uint64) view { return view{t.msg, at + uint64(t.u32(at))} }

func (t view) u16(pos uint64) uint16 { return binary.LittleEndian.Uint16(t.msg[pos:]) }
func (t view) u32(pos uint64) uint32 { return binary.LittleEndian.Uint32(t.msg[pos:]) }
