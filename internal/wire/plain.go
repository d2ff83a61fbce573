package wire

import (
	"encoding/binary"
	"slices"
)

// Most results are laid out as this package does it, byte for byte: what comes
// before the value is then known. It is copied into what is written, and need not
// be followed offset by offset in what is read. Fuzz targets compare this with the
// general way. What Form is for calls, this is for results.

// plainKind is where the kind is in a result of that layout.
const plainKind = 24

// plainPrefixes is what comes before the value, for each kind: before the length
// of a text or of bytes. The size prefix in it is not the message's.
var plainPrefixes = func() (prefixes [KindVoid + 1][]byte) {
	for kind := KindInvalid + 1; kind <= KindVoid; kind++ {
		var w writer
		value := &Result{Value: Value{kind: kind}}
		tail := kind.fixedSize()
		if kind.hasBytes() {
			tail = value.Value.tailSize()
		}
		w.result(value)
		w.out, w.pos, w.vtables = make([]byte, w.pos), 0, [shapeCount]uint64{}
		w.result(value)
		prefixes[kind] = w.out[:len(w.out)-tail]
	}
	return prefixes
}()

// putPlain writes a result, if it is a value that can be sent.
func putPlain(buf []byte, r *Result) (n int, ok bool, err error) {
	v := &r.Value
	if r.Err != nil || v.kind == KindInvalid || v.kind > KindVoid {
		return 0, false, nil
	}
	prefix, size := plainPrefixes[v.kind], v.kind.fixedSize()
	if v.kind.hasBytes() {
		size = v.tailSize()
	}
	size += len(prefix)
	if size > min(len(buf), MaxMessage) {
		return 0, true, tooLong(size, buf, &resultMessage)
	}
	if v.kind == KindString && !isTextString(v.text) {
		return 0, false, nil
	}
	out := buf[:size:size]
	n = copy(out, prefix)
	binary.LittleEndian.PutUint32(out, uint32(size-rootPosition)) //nolint:gosec // G115: at most MaxMessage
	switch {
	case v.kind.hasBytes():
		putTail(out[n:], v)
	case v.kind != KindVoid:
		putScalar(out[n:], v.bits)
	}
	return size, true, nil
}

// decodePlain sets v, which is empty, to the value of a result of that layout. It
// returns false for any other message; v is then anything.
//
// Guest-controlled: every byte of msg.
func (v *Value) decodePlain(msg []byte, room *Room) (ok bool) {
	if len(msg) <= plainKind || Length(msg) != uint64(len(msg)) || len(msg) > MaxMessage {
		return false
	}
	kind := Kind(msg[plainKind])
	if kind == KindInvalid || kind > KindVoid {
		return false
	}
	prefix := plainPrefixes[kind]
	if len(msg) < len(prefix) || string(msg[rootPosition:len(prefix)]) != string(prefix[rootPosition:]) {
		return false
	}
	v.kind = kind
	if kind.hasBytes() {
		return v.plainBytes(msg[len(prefix):], room)
	}
	return v.plainScalar(msg[len(prefix):])
}

// plainScalar sets the value, whose kind is set and has no bytes, to what data is.
func (v *Value) plainScalar(data []byte) (ok bool) {
	switch {
	case len(data) != v.kind.fixedSize():
		return false
	case len(data) == 8:
		v.bits = binary.LittleEndian.Uint64(data)
		return true
	case len(data) == 0:
		return true // void
	}
	bits := binary.LittleEndian.Uint32(data)
	v.bits = uint64(bits)
	if v.kind == KindInt32 {
		v.bits = uint64(int64(int32(bits))) //nolint:gosec // G115: two's complement is meant
	}
	return v.kind != KindBool || bits <= 1
}

// plainBytes sets the value, whose kind is set and has bytes, to what data is: a
// length, the bytes, and behind text a NUL. Text is stored in room, if there is any.
func (v *Value) plainBytes(data []byte, room *Room) (ok bool) {
	if len(data) < lengthSize {
		return false
	}
	n, data := uint64(binary.LittleEndian.Uint32(data)), data[lengthSize:]
	if v.kind == KindBytes {
		v.data = slices.Clip(data)
		return n == uint64(len(data))
	}
	if n+1 != uint64(len(data)) || data[n] != 0 || !isText(data[:n]) {
		return false
	}
	v.text = room.text(data[:n])
	return true
}
