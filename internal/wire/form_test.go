package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestReaderRemembers: a call that isn't worth remembering leaves the one before
// remembered.
func TestReaderRemembers(t *testing.T) {
	form := NewForm("echo", []Kind{KindString})
	r := NewReader(func(name string) *Form {
		if name == form.Name() {
			return form
		}
		return nil
	})
	for _, name := range []string{"other", "echo", "other"} {
		if err := r.Read(callCodec.mustEncode(t, Call{Name: name})); err != nil || r.Name != name {
			t.Fatalf("%q: %v, read as %q", name, err, r.Name)
		}
	}
	if r.last != form {
		t.Error("echo was forgotten")
	}
}

func kindsOf(args []Value) []Kind {
	kinds := make([]Kind, len(args))
	for i := range args {
		kinds[i] = args[i].Kind()
	}
	return kinds
}

// formArguments are the arguments of calls: of each kind alone, of two kinds, and
// of many.
func formArguments() [][]Value {
	lists := [][]Value{nil}
	var params []Value
	for _, v := range plainValues() {
		if v.Kind().IsParam() {
			params = append(params, v)
		}
	}
	for _, v := range params {
		lists = append(lists, []Value{v})
		for _, w := range params[:8] {
			lists = append(lists, []Value{w, v}, []Value{v, w}, []Value{w, w, v})
		}
	}
	return append(lists, slices.Repeat([]Value{Int32(-1)}, MaxParams), slices.Repeat([]Value{Float64(2)}, MaxParams), params[:7])
}

// forms are those that the fuzz target chooses from.
func forms() (list []*Form) {
	for _, args := range formArguments() {
		list = append(list, NewForm("Echo", kindsOf(args)))
	}
	return list
}

// TestForms: what a Form writes is what the general way writes, and both ways
// read it alike. Short are all whose text or bytes, if any, are last.
func TestForms(t *testing.T) {
	short := 0
	for _, args := range formArguments() {
		kinds := kindsOf(args)
		for _, name := range []string{"f", "Echo", strings.Repeat("n", MaxName)} {
			f := NewForm(name, kinds)
			want, err := AppendCall(nil, &Call{Name: name, Args: args})
			if err != nil {
				t.Fatal(err)
			}
			got := bytes.Repeat([]byte{0xa5}, len(want)) // so that it shows what isn't written
			if n, err := f.Put(got, args); err != nil || n != len(want) || !bytes.Equal(got, want) {
				t.Fatalf("%v: %d bytes, %v\n%x\nwant\n%x", kinds, n, err, got, want)
			}
			if n, err := f.Put(got[:len(want)-1], args); !errors.Is(err, ErrTooLarge) {
				t.Errorf("%v in too short a buffer: %d, %v", kinds, n, err)
			}
			mustShort := !slices.ContainsFunc(kinds[:max(len(kinds)-1, 0)], Kind.hasBytes)
			read, ok := f.Read(nil, want, nil)
			if ok != mustShort || ok && describe(Call{name, read}) != describe(Call{name, args}) {
				t.Fatalf("%v: read %v, %v", kinds, read, ok)
			}
			if ok {
				short++
			}
		}
	}
	if short < 100 {
		t.Errorf("only %d calls were short", short)
	}
}

// TestFormRefuses: what is not a call of the function, or can't be sent, is
// refused as it is in general.
func TestFormRefuses(t *testing.T) {
	buf := make([]byte, 1000)
	f := NewForm("f", []Kind{KindInt32, KindString})
	for _, row := range []struct {
		name string
		form *Form
		args []Value
		want error
	}{
		{"text that is none", f, []Value{Int32(1), String("\xff")}, ErrUTF8},
		{"no kind", f, []Value{Int32(1), {}}, ErrRange},
		{"a name that is none", NewForm("", nil), nil, ErrName},
		{"a parameter that is none", NewForm("f", []Kind{KindVoid}), []Value{Void()}, ErrRange},
		{"too many", NewForm("f", make([]Kind, MaxParams+1)), make([]Value, MaxParams+1), ErrCount},
	} {
		if _, err := row.form.Put(buf, row.args); !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
	// Other arguments than the function's are sent: the guest says what it thinks of them.
	n, err := f.Put(buf, []Value{Bool(true)})
	if call, err2 := DecodeCall(buf[:n]); err != nil || err2 != nil || len(call.Args) != 1 {
		t.Errorf("%v, %v, %v", call, err, err2)
	}
}

// TestFormsChanged: with any bit changed a call is refused, or is what the general
// way says.
func TestFormsChanged(t *testing.T) {
	for _, args := range formArguments() {
		f := NewForm("Echo", kindsOf(args))
		msg, err := AppendCall(nil, &Call{Name: "Echo", Args: args})
		if err != nil {
			t.Fatal(err)
		}
		if len(msg) > 300 {
			continue
		}
		for i := range msg {
			for bit := range 8 {
				msg[i] ^= 1 << bit
				checkForm(t, f, msg)
				msg[i] ^= 1 << bit
			}
		}
	}
}

// checkForm fails the test if the short way accepts what the general way refuses,
// or reads something else in it.
func checkForm(t *testing.T, f *Form, msg []byte) {
	t.Helper()
	args, ok := f.Read(nil, msg, nil)
	if !ok {
		return
	}
	if want, err := DecodeCall(msg); err != nil || describe(Call{f.name, args}) != describe(want) {
		t.Fatalf("%x is %v the short way; %+v, %v in general", msg, args, want, err)
	}
}

// FuzzForm compares both ways.
func FuzzForm(f *testing.F) {
	list := forms()
	for i, args := range formArguments() {
		msg, err := AppendCall(nil, &Call{Name: "Echo", Args: args})
		if err != nil {
			f.Fatal(err)
		}
		if len(msg) < 300 {
			f.Add(uint16(i), msg) //nolint:gosec // G115: a small number
		}
	}
	f.Fuzz(func(t *testing.T, which uint16, msg []byte) {
		checkForm(t, list[int(which)%len(list)], msg)
	})
}

// TestReader: what was read before doesn't matter, and nothing of it is left after
// an error.
func TestReader(t *testing.T) {
	for _, known := range []bool{true, false} {
		kinds := map[string][]Kind{}
		r := NewReader(func(name string) *Form {
			if !known {
				return nil
			}
			return NewForm(name, kinds[name])
		})
		for range 2 {
			for _, s := range samplesOf(callCodec.msg) {
				want, ok := s.value.(Call)
				if !ok {
					t.Fatal(s.value)
				}
				kinds[want.Name] = kindsOf(want.Args)
				msg := callCodec.mustEncode(t, s.value)
				for range 3 {
					if err := r.Read(msg); err != nil || describe(r.Call) != describe(s.value) {
						t.Fatalf("%s: %v\n%s\nwant\n%s", s.name, err, describe(r.Call), describe(s.value))
					}
				}
				memory := r.Args[:cap(r.Args)]
				if err := r.Read(msg[:len(msg)-1]); !errors.Is(err, ErrMalformed) || r.Name != "" || r.Args != nil {
					t.Errorf("%s: a bad message: %v, %v", s.name, err, r.Call)
				}
				for _, v := range memory {
					if v.Kind() != KindInvalid {
						t.Errorf("%s: after a bad message there is still %v", s.name, v)
					}
				}
			}
		}
	}
}
