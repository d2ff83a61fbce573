package wire

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
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

// putPlain writes a result, if it is a value that fits.
func putPlain(buf []byte, r *Result) (n int, ok bool) {
	v := &r.Value
	if r.Err != nil || v.kind == KindInvalid || v.kind > KindVoid {
		return 0, false
	}
	prefix, size := plainPrefixes[v.kind], v.kind.fixedSize()
	if v.kind.hasBytes() {
		size = v.tailSize()
	}
	size += len(prefix)
	if size > len(buf) || size > MaxMessage || v.kind == KindString && !utf8.ValidString(v.text) {
		return 0, false
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
	return size, true
}

// decodePlain returns the value of a result of that layout, and false for any
// other message.
//
// Guest-controlled: every byte of msg.
func decodePlain(msg []byte) (v Value, ok bool) {
	if len(msg) <= plainKind || Length(msg) != uint64(len(msg)) || len(msg) > MaxMessage {
		return v, false
	}
	kind := Kind(msg[plainKind])
	if kind == KindInvalid || kind > KindVoid {
		return v, false
	}
	prefix := plainPrefixes[kind]
	if len(msg) < len(prefix) || string(msg[rootPosition:len(prefix)]) != string(prefix[rootPosition:]) {
		return v, false
	}
	return plainValue(kind, msg[len(prefix):])
}

// plainValue returns the value that the rest of a message is.
func plainValue(kind Kind, rest []byte) (v Value, ok bool) {
	switch {
	case kind == KindString || kind == KindBytes:
		return plainBytes(kind, rest)
	case kind == KindVoid:
		return Void(), len(rest) == 0
	case len(rest) == 8:
		return Value{kind: kind, bits: binary.LittleEndian.Uint64(rest)}, kind == KindInt64 || kind == KindUint64 || kind == KindFloat64
	case len(rest) != 4:
		return v, false
	}
	bits := binary.LittleEndian.Uint32(rest)
	if kind == KindInt32 {
		return Int32(int32(bits)), true //nolint:gosec // G115: two's complement is meant
	}
	ok = kind == KindUint32 || kind == KindFloat32 || kind == KindBool && bits <= 1
	return Value{kind: kind, bits: uint64(bits)}, ok
}

func plainBytes(kind Kind, rest []byte) (v Value, ok bool) {
	if len(rest) < 4 {
		return v, false
	}
	n, data := uint64(binary.LittleEndian.Uint32(rest)), rest[4:]
	if kind == KindBytes {
		return Bytes(slices.Clip(data)), n == uint64(len(data))
	}
	if n+1 != uint64(len(data)) || data[n] != 0 || !utf8.Valid(data[:n]) {
		return v, false
	}
	return String(string(data[:n])), true
}
