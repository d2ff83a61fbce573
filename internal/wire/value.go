package wire

import (
	"bytes"
	"math"
)

// Value is one parameter or result: a number, a bool, text, bytes, or nothing.
// The zero Value has KindInvalid and can't be sent.
//
// It is a struct rather than an any because storing a string or an int64 in an
// any allocates, and a call should not.
type Value struct {
	kind Kind
	bits uint64 // of numbers and bools; signed ones are sign-extended
	text string
	data []byte
}

// Int32 returns a Value of KindInt32.
func Int32(v int32) Value {
	return Value{kind: KindInt32, bits: uint64(int64(v))} //nolint:gosec // G115: Value.Int32 undoes it
}

// Uint32 returns a Value of KindUint32.
func Uint32(v uint32) Value { return Value{kind: KindUint32, bits: uint64(v)} }

// Int64 returns a Value of KindInt64.
func Int64(v int64) Value {
	return Value{kind: KindInt64, bits: uint64(v)} //nolint:gosec // G115: Value.Int64 undoes it
}

// Uint64 returns a Value of KindUint64.
func Uint64(v uint64) Value { return Value{kind: KindUint64, bits: v} }

// Float32 returns a Value of KindFloat32, with all bits of v.
func Float32(v float32) Value {
	return Value{kind: KindFloat32, bits: uint64(math.Float32bits(v))}
}

// Float64 returns a Value of KindFloat64, with all bits of v.
func Float64(v float64) Value { return Value{kind: KindFloat64, bits: math.Float64bits(v)} }

// Bool returns a Value of KindBool.
func Bool(v bool) Value {
	if v {
		return Value{kind: KindBool, bits: 1}
	}
	return Value{kind: KindBool}
}

// String returns a Value of KindString. Only valid UTF-8 can be sent.
func String(v string) Value { return Value{kind: KindString, text: v} }

// Bytes returns a Value of KindBytes that holds v itself, not a copy.
func Bytes(v []byte) Value { return Value{kind: KindBytes, data: v} }

// Void returns the Value of KindVoid.
func Void() Value { return Value{kind: KindVoid} }

// ValueOf returns the Value that holds v: of one of the nine Go types that
// calls can pass, or nil for void. For any other type it returns false.
func ValueOf(v any) (Value, bool) {
	switch v := v.(type) {
	case nil:
		return Void(), true
	case int32:
		return Int32(v), true
	case uint32:
		return Uint32(v), true
	case int64:
		return Int64(v), true
	case uint64:
		return Uint64(v), true
	case float32:
		return Float32(v), true
	case float64:
		return Float64(v), true
	case bool:
		return Bool(v), true
	case string:
		return String(v), true
	case []byte:
		return Bytes(v), true
	}
	return Value{}, false
}

// Set makes v the Value of a kind that holds x, as that of [ValueOf]. It returns
// false, and leaves v alone, if x has another type than values of that kind.
func (v *Value) Set(x any, kind Kind) bool {
	if text, ok := x.(string); ok && kind == KindString {
		v.SetText(text)
		return true
	}
	if data, ok := x.([]byte); ok && kind == KindBytes {
		v.SetBytes(data)
		return true
	}
	value, ok := ValueOf(x)
	if !ok || value.kind != kind {
		return false
	}
	*v = value
	return true
}

// SetText makes v String(text). Where calls pass by, a Value is set in its place:
// to copy one takes as long as to make it.
func (v *Value) SetText(text string) { v.kind, v.bits, v.text, v.data = KindString, 0, text, nil }

// SetBytes makes v Bytes(data).
func (v *Value) SetBytes(data []byte) { v.kind, v.bits, v.text, v.data = KindBytes, 0, "", data }

// Clear makes v invalid, so that it holds nothing. An assignment of the zero Value
// does the same, by way of one on the stack, and then waits for what it has just
// written there: it takes 40 ns.
func (v *Value) Clear() {
	v.kind, v.bits = KindInvalid, 0
	if v.text != "" {
		v.text = ""
	}
	if v.data != nil {
		v.data = nil
	}
}

// Forget clears all values of a list.
func Forget(list []Value) {
	for i := range list {
		list[i].Clear()
	}
}

// Kind returns the type of the value.
func (v *Value) Kind() Kind { return v.kind }

// Int32 returns the value, and whether v has KindInt32.
func (v *Value) Int32() (int32, bool) {
	return int32(v.bits), v.kind == KindInt32 //nolint:gosec // G115: undoes Int32
}

// Uint32 returns the value, and whether v has KindUint32.
func (v *Value) Uint32() (uint32, bool) {
	return uint32(v.bits), v.kind == KindUint32 //nolint:gosec // G115: undoes Uint32
}

// Int64 returns the value, and whether v has KindInt64.
func (v *Value) Int64() (int64, bool) {
	return int64(v.bits), v.kind == KindInt64 //nolint:gosec // G115: undoes Int64
}

// Uint64 returns the value, and whether v has KindUint64.
func (v *Value) Uint64() (uint64, bool) { return v.bits, v.kind == KindUint64 }

// Float32 returns the value with all its bits, and whether v has KindFloat32.
func (v *Value) Float32() (float32, bool) {
	return math.Float32frombits(uint32(v.bits)), v.kind == KindFloat32 //nolint:gosec // G115: undoes Float32
}

// Float64 returns the value with all its bits, and whether v has KindFloat64.
func (v *Value) Float64() (float64, bool) {
	return math.Float64frombits(v.bits), v.kind == KindFloat64
}

// Bool returns the value, and whether v has KindBool.
func (v *Value) Bool() (value, ok bool) { return v.bits != 0, v.kind == KindBool }

// Text returns the value, and whether v has KindString. It is not called String
// because fmt would call that for values of all kinds.
func (v *Value) Text() (string, bool) { return v.text, v.kind == KindString }

// Bytes returns the value, and whether v has KindBytes. It is what the Value
// holds, not a copy: of a decoded Value it is a part of the message.
func (v *Value) Bytes() ([]byte, bool) { return v.data, v.kind == KindBytes }

// Any returns the value as one of the nine Go types that calls can pass, or nil
// if it is void or invalid. Bytes are never nil and, as those of [Value.Bytes],
// not a copy.
func (v *Value) Any() any {
	switch v.kind {
	case KindInt32:
		return first(v.Int32())
	case KindUint32:
		return first(v.Uint32())
	case KindInt64:
		return first(v.Int64())
	case KindUint64:
		return v.bits
	case KindFloat32:
		return first(v.Float32())
	case KindFloat64:
		return first(v.Float64())
	case KindBool:
		return v.bits != 0
	case KindString:
		return v.text
	case KindBytes:
		if v.data == nil {
			return []byte{}
		}
		return v.data
	case KindInvalid, KindVoid:
	}
	return nil
}

// Own makes v share no memory with the message that it was decoded from. Only bytes
// do.
func (v *Value) Own() {
	if v.data != nil {
		v.data = bytes.Clone(v.data)
	}
}

// Equal reports whether both values have the same kind and the same bits, so
// that a NaN equals itself and -0 doesn't equal 0.
func (v Value) Equal(w Value) bool {
	return v.kind == w.kind && v.bits == w.bits && v.text == w.text && bytes.Equal(v.data, w.data)
}

// size returns the bytes of text or data, of which a value has at most one.
func (v *Value) size() uint64 { return uint64(len(v.text)) + uint64(len(v.data)) }

func first[T any](v T, _ bool) T { return v }
