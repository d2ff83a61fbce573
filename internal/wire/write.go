package wire

import "encoding/binary"

// shape is a layout of a table. Tables with the same layout share one vtable,
// whatever their fields mean, so that a message has few.
type shape uint8

const (
	shapeEmpty       shape = iota // no field
	shapeOne                      // one field of up to four bytes
	shapeLong                     // one field of eight bytes
	shapeTwo                      // two fields of up to four bytes
	shapeFunction                 // name, parameters, return type
	shapeDeclaration              // exports, imports, SDK name, SDK version
	shapeLog                      // level, message, source, file, line, attributes
)

const shapeCount = int(shapeLog) + 1

// vtables has what is written for a shape: its own size, the size of the table
// and the places of the fields. Fields narrower than four bytes take four.
var vtables = [shapeCount][]uint16{
	shapeEmpty:       {4, 4},
	shapeOne:         {6, 8, 4},
	shapeLong:        {6, 12, 4},
	shapeTwo:         {8, 12, 4, 8},
	shapeFunction:    {10, 16, 4, 8, 12},
	shapeDeclaration: {12, 20, 4, 8, 12, 16},
	shapeLog:         {16, 28, 4, 8, 12, 16, 20, 24},
}

// writer writes a message from its front to its end: first a table, then what
// its offsets lead to.
//
// Without out it only measures. With it, out is long enough, so that it never has
// to grow. It writes every byte of the message, padding too, and reads none: out
// may be memory that a guest can write at the same time, and what was in it before
// doesn't get to the guest.
type writer struct {
	out []byte
	pos uint64
	// vtables is where the vtable of a shape was written: 0 if it wasn't yet.
	vtables [shapeCount]uint64
}

// header writes what a message starts with. It returns the slot for the root.
func (w *writer) header(m *message) (root uint64) {
	w.hole() // for finish
	root = w.hole()
	w.text4(m.id)
	return root
}

// finish writes the size prefix.
func (w *writer) finish() { w.patch(sizePosition, w.pos-rootPosition) }

// table starts a table: the caller writes its fields next.
func (w *writer) table(s shape) (pos uint64) {
	vtable := w.vtables[s]
	if vtable == 0 {
		w.align(2)
		vtable = w.pos
		w.vtables[s] = vtable
		for _, entry := range vtables[s] {
			w.u16(entry)
		}
	}
	w.align(4)
	if s == shapeLong && w.pos%8 == 0 {
		w.u32(0) // so that the field behind the next four bytes is aligned
	}
	pos = w.pos
	w.u32(uint32(pos - vtable)) //nolint:gosec // G115: measured to be less than MaxMessage
	return pos
}

// hole leaves room for an offset and returns its place.
func (w *writer) hole() uint64 {
	w.u32(0)
	return w.pos - 4
}

// patch writes into a hole how far behind it the target is.
func (w *writer) patch(hole, target uint64) {
	if w.out != nil {
		binary.LittleEndian.PutUint32(w.out[hole:], uint32(target-hole)) //nolint:gosec // G115: as in table
	}
}

// text writes a string and lets the hole lead to it.
func (w *writer) text(hole uint64, s string) {
	w.align(4)
	w.patch(hole, w.pos)
	w.u32(uint32(len(s))) //nolint:gosec // G115: as in table
	if w.out != nil {
		copy(w.out[w.pos:], s)
	}
	w.pos += uint64(len(s))
	w.u8(0)
}

// bytes writes a vector of bytes and lets the hole lead to it.
func (w *writer) bytes(hole uint64, b []byte) {
	w.align(4)
	w.patch(hole, w.pos)
	w.u32(uint32(len(b))) //nolint:gosec // G115: as in table
	if w.out != nil {
		copy(w.out[w.pos:], b)
	}
	w.pos += uint64(len(b))
}

// list writes a vector of n offsets, lets the hole lead to it, and returns the
// hole of its first item. The next is four bytes behind it.
func (w *writer) list(hole uint64, n int) (first uint64) {
	w.align(4)
	w.patch(hole, w.pos)
	w.u32(uint32(n)) //nolint:gosec // G115: as in table
	first = w.pos
	for range n {
		w.hole()
	}
	return first
}

func (w *writer) align(n uint64) {
	for w.pos%n != 0 {
		w.u8(0)
	}
}

func (w *writer) u8(v uint8) {
	if w.out != nil {
		w.out[w.pos] = v
	}
	w.pos++
}

func (w *writer) u16(v uint16) {
	if w.out != nil {
		binary.LittleEndian.PutUint16(w.out[w.pos:], v)
	}
	w.pos += 2
}

func (w *writer) u32(v uint32) {
	if w.out != nil {
		binary.LittleEndian.PutUint32(w.out[w.pos:], v)
	}
	w.pos += 4
}

func (w *writer) u64(v uint64) {
	if w.out != nil {
		binary.LittleEndian.PutUint64(w.out[w.pos:], v)
	}
	w.pos += 8
}

// text4 writes four characters as they are.
func (w *writer) text4(s string) {
	for i := range 4 {
		w.u8(s[i])
	}
}
