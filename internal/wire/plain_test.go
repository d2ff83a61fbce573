package wire

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// generally decodes a result without the short way.
func generally(msg []byte) (Result, error) { return decode(msg, &resultMessage, readResult) }

// plainValues has one of each kind, and those at which the layout may change.
func plainValues() []Value {
	list := []Value{
		Int32(-5), Uint32(1 << 31), Int64(-1 << 40), Uint64(1 << 63), Float32(1.5), Float64(-2.5), Bool(true), Bool(false),
		Void(), String(""), Bytes(nil),
	}
	for n := range 9 {
		list = append(list, String(strings.Repeat("x", n)), Bytes([]byte(strings.Repeat("x", n))))
	}
	return append(list, String(strings.Repeat("ż", 5000)), Bytes(make([]byte, 70000)))
}

// TestPlainResults: what this package writes is decoded the short way, to the
// same value.
func TestPlainResults(t *testing.T) {
	for _, v := range plainValues() {
		msg, err := AppendResult(nil, &Result{Value: v})
		if err != nil {
			t.Fatal(err)
		}
		put := bytes.Repeat([]byte{0xa5}, len(msg)) // so that it shows what isn't written
		if n, ok, err := putPlain(put, &Result{Value: v}); n != len(msg) || !ok || err != nil || !bytes.Equal(put, msg) {
			t.Errorf("%v of %d bytes: %x, %v, want %x", v.Kind(), v.size(), put, ok, msg)
		}
		if _, err := PutResult(put[:len(msg)-1], &Result{Value: v}); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v of %d bytes fits into less: %v", v.Kind(), v.size(), err)
		}
		var got Value
		ok := got.decodePlain(msg, nil)
		want, err := generally(msg)
		if !ok || err != nil || !got.Equal(want.Value) || !got.Equal(v) {
			t.Errorf("%v of %d bytes: %v, %v, %v, %v", v.Kind(), v.size(), got, ok, want, err)
		}
		if len(msg) > 300 {
			continue
		}
		// With any byte changed it is refused, or is what the general way says.
		for i := range msg {
			for bit := range 8 {
				msg[i] ^= 1 << bit
				checkPlain(t, msg)
				msg[i] ^= 1 << bit
			}
		}
	}
	msg, err := AppendResult(nil, &Result{Err: &ErrorInfo{CodeFailed, "no"}})
	if err != nil {
		t.Fatal(err)
	}
	if new(Value).decodePlain(msg, nil) {
		t.Error("an error was taken for a value")
	}
}

// checkPlain fails the test if the short way accepts what the general way
// refuses, or decodes it to something else.
func checkPlain(t *testing.T, msg []byte) {
	t.Helper()
	var got Value
	if !got.decodePlain(msg, nil) {
		return
	}
	if want, err := generally(msg); err != nil || want.Err != nil || !got.Equal(want.Value) {
		t.Fatalf("%x is %+v the short way; %+v, %v in general", msg, got, want, err)
	}
}

// FuzzPlainResult compares both ways.
func FuzzPlainResult(f *testing.F) {
	for _, v := range plainValues() {
		msg, err := AppendResult(nil, &Result{Value: v})
		if err != nil {
			f.Fatal(err)
		}
		if len(msg) < 300 {
			f.Add(msg)
		}
	}
	f.Fuzz(checkPlain)
}
