package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestBudget counts what visiting a message costs: each byte that is used, each time.
// One that is exactly as long as that is accepted, one that is shorter by a byte isn't,
// whatever is visited last.
func TestBudget(t *testing.T) {
	const head, offset = 4, 4
	for _, row := range []struct {
		name  string
		value Value
		cost  int // of the value's table and what it leads to
		strip bool
	}{
		{"a number", Int32(1), head + 4, false},
		{"a table without fields", Int32(1), head, true},
		{"text", String("ab"), head + offset + 4 + 2 + 1, false},
	} {
		m := &damaged{callCodec.mustEncode(t, Call{Name: "echo", Args: slices.Repeat([]Value{row.value}, MaxParams)})}
		list, n := m.root().vectorAt(1)
		first := m.item(m.root(), 1, 0)
		child := m.child(first, 1)
		end := child.field(0) + 4
		if row.value.kind == KindString {
			end = m.target(child, 0) + 4 + 2 + 1
		}
		if row.strip {
			m.set16(m.entry(child, 0), 0)
		}
		for i := range n { // all of them share the first
			m.lead(list+4*i, first.pos)
		}
		cost := head + 2*offset + 4 + len("echo") + 1 + 4 + MaxParams*(4+head+1+offset+row.cost)
		for size, want := range map[int]error{cost: nil, cost - 1: ErrShared} {
			msg := append(bytes.Clone(m.msg[:end]), make([]byte, size-int(end))...)
			binary.LittleEndian.PutUint32(msg, uint32(size-4))
			if _, err := DecodeCall(msg); !errors.Is(err, want) {
				t.Errorf("%s: %d bytes, of which %d are visited: %v", row.name, size, cost, err)
			}
		}
	}
}

// TestNamesFound: wherever the two are that are alike, and whatever else there is.
func TestNamesFound(t *testing.T) {
	for _, row := range []struct {
		names string
		want  string
	}{
		{"aab", "exports[1].name"},
		{"bba", "exports[1].name"},
		{"abb", "exports[2].name"},
		{"aba", "exports[2].name"},
		{"cac", "exports[2].name"},
		{"cabac", "exports[3].name"},
	} {
		var d Declaration
		for _, c := range row.names {
			d.Exports = append(d.Exports, Function{Name: string(c), Return: KindVoid})
		}
		_, err := declarationCodec.encode(nil, d)
		var e *Error
		if !errors.As(err, &e) || e.Reason != ErrDuplicate || !strings.HasSuffix(e.Path, row.want) {
			t.Errorf("%s is sent: %v", row.names, err)
		}
		// The same from a guest, which does not ask.
		for i := range d.Exports {
			d.Exports[i].Name = string(rune('p' + i))
		}
		m := &damaged{declarationCodec.mustEncode(t, d)}
		for i, c := range row.names {
			m.set8(m.target(m.item(m.root(), 0, uint64(i)), 0)+4, uint8(c))
		}
		if _, err := DecodeDeclaration(m.msg); !errors.As(err, &e) || e.Reason != ErrDuplicate || !strings.HasSuffix(e.Path, row.want) {
			t.Errorf("%s is accepted: %v", row.names, err)
		}
	}
}

// TestNameBeginsWithNUL: for a C program it would be empty.
func TestNameBeginsWithNUL(t *testing.T) {
	if _, err := AppendCall(nil, &Call{Name: "\x00a"}); !errors.Is(err, ErrName) {
		t.Errorf("sent: %v", err)
	}
	m := &damaged{callCodec.mustEncode(t, plainCall)}
	m.set8(m.target(m.root(), 0)+4, 0)
	if _, err := DecodeCall(m.msg); !errors.Is(err, ErrName) {
		t.Errorf("accepted: %v", err)
	}
}

// TestDecodeAgain decodes into a Result that was another one.
func TestDecodeAgain(t *testing.T) {
	for _, before := range []Result{
		{Err: &ErrorInfo{CodeFailed, "before"}}, {Value: String("before")}, {Value: Bytes([]byte("before"))}, {Value: Int64(-1)},
	} {
		for _, v := range []Value{Int32(1), Bool(true), Float32(1), Void(), String("now"), Bytes([]byte("now"))} {
			msg, err := AppendResult(nil, &Result{Value: v})
			if err != nil {
				t.Fatal(err)
			}
			got := before
			if err := got.Decode(msg, nil); err != nil || got.Err != nil || !got.Value.Equal(v) {
				t.Errorf("%v after %v: %+v, %v", v.Any(), before, got, err)
			}
			got = before
			if err := got.Decode(msg[:len(msg)-1], nil); err == nil || got.Err != nil || !got.Value.Equal(Value{}) {
				t.Errorf("what is refused after %v leaves %+v, %v", before, got, err)
			}
		}
	}
}

// TestShortWayCut: what ends in the length of the value is not a value.
func TestShortWayCut(t *testing.T) {
	for _, kind := range []Kind{KindString, KindBytes} {
		f := NewForm("f", []Kind{kind})
		for n := range lengthSize {
			msg := append(bytes.Clone(plainPrefixes[kind]), make([]byte, n)...)
			binary.LittleEndian.PutUint32(msg, uint32(len(msg)-4))
			if new(Value).decodePlain(msg, nil) {
				t.Errorf("a result, %v with %d bytes of its length, is accepted", kind, n)
			}
			msg = append(bytes.Clone(f.fixed), make([]byte, n)...)
			binary.LittleEndian.PutUint32(msg, uint32(len(msg)-4))
			if _, ok := f.Read(nil, msg, nil); ok {
				t.Errorf("a call, %v with %d bytes of its length, is accepted", kind, n)
			}
		}
	}
}

// TestShortWayTooLong: the limit of the format holds there as well. The messages are
// not touched, so they take no memory.
func TestShortWayTooLong(t *testing.T) {
	limit := MaxMessage
	big := make([]byte, limit+1)
	f := NewForm("f", []Kind{KindBytes})
	for _, row := range []struct {
		name   string
		prefix []byte
		read   func(msg []byte) bool
	}{
		{"result", plainPrefixes[KindBytes], func(msg []byte) bool { return new(Value).decodePlain(msg, nil) }},
		{"call", f.fixed, func(msg []byte) bool { _, ok := f.Read(nil, msg, nil); return ok }},
	} {
		for size, want := range map[int]bool{limit: true, limit + 1: false} {
			msg := big[:size]
			copy(msg, row.prefix)
			binary.LittleEndian.PutUint32(msg, uint32(size-4))
			binary.LittleEndian.PutUint32(msg[len(row.prefix):], uint32(size-len(row.prefix)-4))
			if got := row.read(msg); got != want {
				t.Errorf("a %s of %d bytes is accepted: %v", row.name, size, got)
			}
		}
	}
}
