package wire

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestValueOf takes each Go type through a Value and back.
func TestValueOf(t *testing.T) {
	for kind, v := range []any{
		KindInt32: int32(math.MinInt32), KindUint32: uint32(math.MaxUint32), KindInt64: int64(math.MinInt64),
		KindUint64: uint64(math.MaxUint64), KindFloat32: float32(1.5), KindFloat64: 2.5, KindBool: true,
		KindString: "text", KindBytes: []byte("bytes"), KindVoid: nil,
	} {
		if kind == 0 {
			continue
		}
		got, ok := ValueOf(v)
		if !ok || got.Kind() != Kind(kind) || !reflect.DeepEqual(got.Any(), v) {
			t.Errorf("ValueOf(%T %v) = %v %v, %v", v, v, got.Kind(), got.Any(), ok)
		}
		for other := KindInvalid; other <= KindVoid; other++ {
			before := Value{kind: KindUint64, bits: 1, text: "before", data: []byte("before")}
			after, want := before, before
			if other == Kind(kind) {
				want = got
			}
			if ok := after.Set(v, other); ok != (other == Kind(kind)) || !after.Equal(want) {
				t.Errorf("Set(%T %v, %v) = %v: %+v", v, v, other, ok, after)
			}
		}
	}
	for _, v := range []any{1, uint(1), int8(1), []int{1}, struct{}{}, new(int32), math.Inf} {
		if got, ok := ValueOf(v); ok || got.Kind() != KindInvalid {
			t.Errorf("ValueOf(%T) = %v, %v", v, got.Kind(), ok)
		}
	}
	empty, none := Bytes(nil), Value{}
	if got := empty.Any(); got == nil || got.([]byte) == nil {
		t.Error("empty bytes are nil")
	}
	if none.Any() != nil {
		t.Error("the zero Value is something")
	}
}

// TestForget: nothing is left in a list.
func TestForget(t *testing.T) {
	list := []Value{String("text"), Bytes([]byte("bytes")), Int64(1), {}}
	Forget(list)
	for i := range list {
		if !list[i].Equal(Value{}) || list[i].data != nil {
			t.Errorf("value %d is still %+v", i, list[i])
		}
	}
}

// TestAccessors checks that exactly one accessor accepts each value.
func TestAccessors(t *testing.T) {
	accessors := []func(Value) bool{
		KindInvalid: func(Value) bool { return false },
		KindInt32:   func(v Value) bool { _, ok := v.Int32(); return ok },
		KindUint32:  func(v Value) bool { _, ok := v.Uint32(); return ok },
		KindInt64:   func(v Value) bool { _, ok := v.Int64(); return ok },
		KindUint64:  func(v Value) bool { _, ok := v.Uint64(); return ok },
		KindFloat32: func(v Value) bool { _, ok := v.Float32(); return ok },
		KindFloat64: func(v Value) bool { _, ok := v.Float64(); return ok },
		KindBool:    func(v Value) bool { _, ok := v.Bool(); return ok },
		KindString:  func(v Value) bool { _, ok := v.Text(); return ok },
		KindBytes:   func(v Value) bool { _, ok := v.Bytes(); return ok },
	}
	all := []Value{{}, Void()}
	for _, s := range values() {
		all = append(all, s.value.(Value))
	}
	for _, v := range all {
		for kind, accepts := range accessors {
			if accepts(v) != (v.Kind() == Kind(kind) && kind != 0) {
				t.Errorf("a value of %v is accepted as %v: %v", v.Kind(), Kind(kind), accepts(v))
			}
		}
	}
}

// TestEqual checks that values equal themselves, their copies and nothing else.
func TestEqual(t *testing.T) {
	all := append(values(), sample{"void", Void()}, sample{"invalid", Value{}}, sample{"float64-zero", Float64(0)})
	for i, a := range all {
		for j, b := range all {
			other := b.value.(Value)
			other.Own()
			if got := a.value.(Value).Equal(other); got != (i == j) {
				t.Errorf("%s equals %s: %v", a.name, b.name, got)
			}
		}
	}
}

// TestFloatBits passes bit patterns that arithmetic would change.
func TestFloatBits(t *testing.T) {
	for _, bits := range []uint64{
		0, 1, 1 << 63, 0x7ff0_0000_0000_0000, 0x7ff0_0000_0000_0001, 0x7ff8_0000_0000_0000,
		0xfff8_1234_5678_9abc, math.MaxUint64, 0x000f_ffff_ffff_ffff, 0x7f80_0001_ff80_0001,
	} {
		narrow := uint32(bits) | uint32(bits>>32)
		c := Call{Name: "f", Args: []Value{Float64(math.Float64frombits(bits)), Float32(math.Float32frombits(narrow))}}
		got, err := DecodeCall(callCodec.mustEncode(t, c))
		if err != nil {
			t.Fatal(err)
		}
		wide, _ := got.Args[0].Float64()
		if math.Float64bits(wide) != bits {
			t.Errorf("float64 %#x became %#x", bits, math.Float64bits(wide))
		}
		small, _ := got.Args[1].Float32()
		if math.Float32bits(small) != narrow {
			t.Errorf("float32 %#x became %#x", narrow, math.Float32bits(small))
		}
	}
}

// TestClean checks what becomes of texts for people.
func TestClean(t *testing.T) {
	for _, row := range []struct {
		in    string
		limit int
		want  string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "…"},
		{"abcdef", 5, "ab…"},
		{"abżż", 6, "abżż"},
		{"abżżż", 6, "ab…"},
		{"abżżż", 7, "abż…"},
		{"\xff", 3, "\ufffd"},
		{"a\xffb", 5, "a\ufffdb"},
		{"a\xff\xfeb", 9, "a\ufffd\ufffdb"},
		{"a\xff\xfeb", 7, "a\ufffd…"},
		{"\xe7\x81", 9, "\ufffd\ufffd"},
		{"ok\x00ok", 5, "ok\x00ok"},
		{strings.Repeat("🚀", 3), 11, "🚀🚀…"},
		{strings.Repeat("🚀", 3), 10, "🚀…"},
	} {
		got := clean(row.in, row.limit)
		if got != row.want {
			t.Errorf("clean(%q, %d) = %q, want %q", row.in, row.limit, got, row.want)
		}
		if !utf8.ValidString(got) || len(got) > row.limit || clean(got, row.limit) != got {
			t.Errorf("clean(%q, %d) = %q is not clean", row.in, row.limit, got)
		}
	}
}

// TestDirtyTexts sends texts for people that are too long or not UTF-8: they
// arrive, made safe.
func TestDirtyTexts(t *testing.T) {
	dirty := strings.Repeat("a\xff", 5000)
	r := LogRecord{Level: LevelWarn, Message: dirty, Source: dirty, File: dirty, Attrs: []Attr{{dirty, dirty}}}
	got, err := DecodeLogRecord(logCodec.mustEncode(t, r))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []struct {
		s     string
		limit int
	}{
		{got.Message, MaxLogText},
		{got.Source, MaxLogSource},
		{got.File, MaxLogFile},
		{got.Attrs[0].Key, MaxLogKey},
		{got.Attrs[0].Value, MaxLogValue},
	} {
		if len(text.s) > text.limit || len(text.s) < text.limit-len("\ufffd…") || !strings.HasPrefix(text.s, "a\ufffda") {
			t.Errorf("%d bytes at a limit of %d: %.20q", len(text.s), text.limit, text.s)
		}
	}
	result, err := DecodeResult(resultCodec.mustEncode(t, Result{Err: &ErrorInfo{CodeFailed, dirty}}))
	if err != nil || !strings.HasSuffix(result.Err.Message, "…") || len(result.Err.Message) > MaxErrorText {
		t.Errorf("error message: %v, %+v", err, result.Err)
	}
}
