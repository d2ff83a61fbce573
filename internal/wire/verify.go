package wire

import (
	"encoding/binary"
)

// What every message starts with: the size prefix, the offset of the root table
// and the file identifier.
const (
	sizePosition       = 0
	rootPosition       = 4
	identifierPosition = 8
	headerSize         = 12
)

const (
	// maxDepth bounds the nesting of tables. The schemas don't reach it, and can't
	// recurse, so it only matters if they change.
	maxDepth = 8
	// maxTables bounds the number of tables: a declaration with two full lists of
	// functions fits.
	maxTables = 4096
)

// verifier checks a message against its schema before anything is read from it.
//
// Positions are uint64, and every position that is used lies in the message: the
// sum of such a position and a 32-bit offset can't wrap, on any machine.
type verifier struct {
	// Guest-controlled: all bytes. They must not change while they are looked at.
	msg []byte
	// budget is how many bytes may still be visited. It starts as the length of the
	// message, so that only parts that are used twice can exhaust it. It bounds time
	// and what decoding allocates.
	budget uint64
	tables int
	depth  int
}

// verify checks a whole message and returns the position of its root table.
func verify(msg []byte, m *message) (uint64, *Error) {
	v := verifier{msg: msg, budget: uint64(len(msg))}
	root, e := v.message(m)
	if e != nil {
		return 0, e.in(m.name)
	}
	return root, nil
}

func (v *verifier) message(m *message) (uint64, *Error) {
	size := uint64(len(v.msg))
	switch {
	case size > MaxMessage:
		return 0, refuseNumber(ErrMessageSize, sizePosition, size, MaxMessage)
	case size < headerSize:
		return 0, refuse(ErrTruncated, sizePosition)
	}
	if prefix := uint64(v.u32(sizePosition)); prefix != size-rootPosition {
		return 0, refuseNumber(ErrSize, sizePosition, prefix, size-rootPosition)
	}
	if string(v.msg[identifierPosition:headerSize]) != m.id {
		return 0, refuse(ErrIdentifier, identifierPosition)
	}
	root, e := v.follow(rootPosition)
	if e != nil {
		return 0, e
	}
	return root, v.table(root, m.root)
}

// table checks the table at pos and everything that it leads to.
func (v *verifier) table(pos uint64, t *table) *Error {
	if v.depth++; v.depth > maxDepth {
		return refuseNumber(ErrDepth, pos, maxDepth+1, maxDepth)
	}
	if v.tables++; v.tables > maxTables {
		return refuseNumber(ErrTables, pos, maxTables+1, maxTables)
	}
	vtable, slots, e := v.tableHeader(pos)
	if e != nil {
		return e
	}
	if slots > uint64(len(t.fields)) {
		return refuseNumber(ErrUnknownField, vtable, slots, uint64(len(t.fields)))
	}
	if e := v.spend(pos, 4); e != nil {
		return e
	}
	unionType := uint8(0)
	for i := range t.fields {
		f := &t.fields[i]
		at := uint64(0) // of a field that is not there
		if uint64(i) < slots {
			at, e = v.slot(vtable, pos, i, f.form)
		}
		if e == nil {
			unionType, e = v.field(at, pos, f, unionType)
		}
		if e != nil {
			return e.in(f.name)
		}
	}
	v.depth--
	return nil
}

// tableHeader checks where the table at pos and its vtable lie. It returns the
// position of the vtable and the number of its fields.
func (v *verifier) tableHeader(pos uint64) (vtable, slots uint64, e *Error) {
	if pos%4 != 0 {
		return 0, 0, refuse(ErrAlignment, pos)
	}
	if !v.has(pos, 4) {
		return 0, 0, refuse(ErrBounds, pos)
	}
	// The vtable lies at pos minus a signed number. A vtable before the start
	// becomes a position far behind the end.
	vtable = pos - uint64(int64(int32(v.u32(pos)))) //nolint:gosec // G115: two's complement is meant
	if !v.has(vtable, 4) {
		return 0, 0, refuse(ErrBounds, pos)
	}
	if vtable%2 != 0 {
		return 0, 0, refuse(ErrAlignment, vtable)
	}
	length := uint64(v.u16(vtable))
	if length < 4 || length%2 != 0 {
		return 0, 0, refuse(ErrVTable, vtable)
	}
	if !v.has(vtable, length) {
		return 0, 0, refuse(ErrBounds, vtable)
	}
	size := uint64(v.u16(vtable + 2))
	if size < 4 {
		return 0, 0, refuse(ErrVTable, vtable+2)
	}
	if !v.has(pos, size) {
		return 0, 0, refuse(ErrBounds, pos)
	}
	return vtable, (length - 4) / 2, nil
}

// slot returns where field i of the table at pos lies, or 0 if it is not there.
//
// A field must lie in the message, but not in the size that the vtable states:
// the libraries for Go and Python let tables of different sizes share a vtable
// (google/flatbuffers issue 8653), so that the size may be that of another table.
func (v *verifier) slot(vtable, pos uint64, i int, f form) (uint64, *Error) {
	entry := vtable + 4 + 2*uint64(i) //nolint:gosec // G115: i is the index of a field
	offset := uint64(v.u16(entry))
	if offset == 0 {
		return 0, nil
	}
	width := formSize[f]
	switch {
	case offset < 4:
		return 0, refuse(ErrField, entry)
	case !v.has(pos+offset, width):
		return 0, refuse(ErrBounds, entry)
	case (pos+offset)%width != 0:
		return 0, refuse(ErrAlignment, pos+offset)
	}
	return pos + offset, v.spend(pos+offset, width)
}

// field checks the field that lies at the position at, or is missing if that is
// 0, in the table at pos. A union's type is returned, for the field behind it.
func (v *verifier) field(at, pos uint64, f *field, unionType uint8) (uint8, *Error) {
	if f.form == formUnion {
		return 0, v.union(at, pos, f, unionType)
	}
	if at == 0 {
		// An enum that is missing is 0, which is never valid.
		if f.required || f.form == formEnum {
			return 0, refuse(ErrMissing, pos)
		}
		return 0, nil
	}
	switch f.form {
	case formUnionType:
		return v.msg[at], nil
	case formEnum:
		return 0, v.enum(at, f.max)
	case formBool:
		if v.msg[at] > 1 {
			return 0, refuseNumber(ErrRange, at, uint64(v.msg[at]), 1)
		}
	case formScalar32, formScalar64:
	case formString:
		return 0, v.text(at, f)
	case formBytes:
		_, _, e := v.vector(at, 1, f.max)
		return 0, e
	case formEnums:
		return 0, v.enums(at, f)
	case formTables:
		return 0, v.list(at, f)
	case formInvalid, formUnion:
		return 0, refuse(ErrVerifier, at)
	}
	return 0, nil
}

// union checks the table that the offset at the position at leads to.
func (v *verifier) union(at, pos uint64, f *field, unionType uint8) *Error {
	switch {
	case at == 0 && unionType == 0:
		if f.required {
			return refuse(ErrMissing, pos)
		}
		return nil
	case at == 0 || unionType == 0:
		return refuse(ErrUnion, pos)
	case int(unionType) >= len(f.union):
		return refuseNumber(ErrRange, pos, uint64(unionType), uint64(len(f.union)-1)) //nolint:gosec // G115: not empty
	}
	child, e := v.follow(at)
	if e != nil {
		return e
	}
	member := f.union[unionType]
	if e := v.table(child, member); e != nil {
		return e.in(member.name)
	}
	return nil
}

func (v *verifier) enum(at, limit uint64) *Error {
	if n := uint64(v.msg[at]); n == 0 || n > limit {
		return refuseNumber(ErrRange, at, n, limit)
	}
	return nil
}

// enums checks a vector of kinds of parameters.
func (v *verifier) enums(at uint64, f *field) *Error {
	start, n, e := v.vector(at, 1, f.max)
	if e != nil {
		return e
	}
	for i, item := range v.msg[start : start+n] {
		if item == 0 || item > maxItemKind {
			e := refuseNumber(ErrRange, start, uint64(item), uint64(maxItemKind))
			e.Offset += i
			return e.at(i)
		}
	}
	return nil
}

// list checks a vector of tables, and all of them.
func (v *verifier) list(at uint64, f *field) *Error {
	start, n, e := v.vector(at, 4, f.max)
	if e != nil {
		return e
	}
	for i := range int(n) { //nolint:gosec // G115: the items are in the message
		item, e := v.follow(start)
		if e == nil {
			e = v.table(item, f.table)
		}
		if e != nil {
			return e.at(i)
		}
		start += 4
	}
	return nil
}

// text checks a string: a vector of bytes with a NUL behind it.
func (v *verifier) text(at uint64, f *field) *Error {
	start, n, e := v.vector(at, 1, f.max)
	switch {
	case e != nil:
		return e
	case !v.has(start+n, 1):
		return refuse(ErrBounds, start+n)
	case v.msg[start+n] != 0:
		return refuse(ErrTerminator, start+n)
	}
	text := v.msg[start : start+n]
	if !isText(text) {
		return refuse(ErrUTF8, start)
	}
	if f.isName && !isName(text) {
		return refuse(ErrName, start)
	}
	return v.spend(start, 1)
}

// vector checks the vector of items of the given width that the offset at the
// position at leads to. It returns where the first item lies, and how many there
// are. A limit of 0 is none.
func (v *verifier) vector(at, width, limit uint64) (start, n uint64, e *Error) {
	pos, e := v.follow(at)
	if e != nil {
		return 0, 0, e
	}
	if pos%4 != 0 {
		return 0, 0, refuse(ErrAlignment, pos)
	}
	if !v.has(pos, 4) {
		return 0, 0, refuse(ErrBounds, pos)
	}
	n = uint64(v.u32(pos))
	if !v.has(pos+4, n*width) {
		return 0, 0, refuseNumber(ErrBounds, pos, n, (uint64(len(v.msg))-pos-4)/width)
	}
	if limit != 0 && n > limit {
		reason := ErrCount
		if width == 1 {
			reason = ErrLength
		}
		return 0, 0, refuseNumber(reason, pos, n, limit)
	}
	return pos + 4, n, v.spend(pos, 4+n*width)
}

// follow returns where the offset at the verified position at leads to: some
// byte of the message behind it.
func (v *verifier) follow(at uint64) (uint64, *Error) {
	offset := uint64(v.u32(at))
	if offset == 0 || offset >= uint64(len(v.msg))-at {
		return 0, refuseNumber(ErrBounds, at, offset, uint64(len(v.msg))-at-1)
	}
	return at + offset, nil
}

// spend takes n bytes at pos out of the budget.
func (v *verifier) spend(pos, n uint64) *Error {
	if n > v.budget {
		return refuse(ErrShared, pos)
	}
	v.budget -= n
	return nil
}

// has reports whether n bytes at pos are in the message, for an n below 1<<34.
func (v *verifier) has(pos, n uint64) bool {
	size := uint64(len(v.msg))
	return pos <= size && n <= size-pos
}

func (v *verifier) u16(pos uint64) uint16 { return binary.LittleEndian.Uint16(v.msg[pos:]) }
func (v *verifier) u32(pos uint64) uint32 { return binary.LittleEndian.Uint32(v.msg[pos:]) }
