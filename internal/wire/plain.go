package wire

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// Most results are laid out as this package does it, byte for byte: what comes
// before the value is then known, and need not be followed offset by offset. A
// fuzz target compares this with the general way.

// plainKind is where the kind is in a result of that layout.
const plainKind = 24

// plainPrefixes is what comes before the value, for each kind: before the length
// of a text or of bytes. The size prefix in it is not the message's.
var plainPrefixes = func() (prefixes [KindVoid + 1][]byte) {
	for kind, tail := range map[Kind]uint64{
		KindInt32: 4, KindUint32: 4, KindFloat32: 4, KindBool: 4, KindInt64: 8, KindUint64: 8, KindFloat64: 8,
		KindString: 5, KindBytes: 4, KindVoid: 0,
	} {
		var w writer
		value := &Result{Value: Value{kind: kind}}
		w.result(value)
		w.out, w.pos, w.vtables = make([]byte, w.pos), 0, [shapeCount]uint64{}
		w.result(value)
		prefixes[kind] = w.out[:w.pos-tail]
	}
	return prefixes
}()

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
