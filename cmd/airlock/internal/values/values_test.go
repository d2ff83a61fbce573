package values

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

var errNoFile = errors.New("no such file")

// files stands for the files that arguments name.
func files(name string) ([]byte, error) {
	switch name {
	case "-":
		return []byte("stdin\n"), nil
	case "text":
		return []byte("@@text\n"), nil
	case "binary":
		return []byte{0, 0xff}, nil
	}
	return nil, errNoFile
}

// same compares values, floats bit by bit but for what is in a NaN.
func same(a, b any) bool {
	x, ok := number(a)
	y, okToo := number(b)
	if !ok || !okToo {
		return reflect.DeepEqual(a, b)
	}
	return reflect.TypeOf(a) == reflect.TypeOf(b) &&
		(math.IsNaN(x) && math.IsNaN(y) || math.Float64bits(x) == math.Float64bits(y))
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case float32:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ, text string
		want      any
	}{
		{"int32", "0", int32(0)},
		{"int32", "-2147483648", int32(math.MinInt32)},
		{"int32", "+2147483647", int32(math.MaxInt32)},
		{"int32", "-0x8000_0000", int32(math.MinInt32)},
		{"int32", "0b101", int32(5)},
		{"int32", "0o17", int32(15)},
		{"int32", "017", int32(15)},
		{"int32", "1_000", int32(1000)},
		{"uint32", "4294967295", uint32(math.MaxUint32)},
		{"uint32", "+0", uint32(0)},
		{"int64", "-9223372036854775808", int64(math.MinInt64)},
		{"int64", "9223372036854775807", int64(math.MaxInt64)},
		{"uint64", "18446744073709551615", uint64(math.MaxUint64)},
		{"uint64", "0xffff_ffff_ffff_ffff", uint64(math.MaxUint64)},
		{"float32", "1.5", float32(1.5)},
		{"float32", "16777217", float32(16777216)}, // rounded once
		{"float32", "-inf", float32(math.Inf(-1))},
		{"float64", "0.1", 0.1},
		{"float64", "-0", math.Copysign(0, -1)},
		{"float64", "0x1p-2", 0.25},
		{"float64", "1_000.5", 1000.5},
		{"float64", "1e-400", 0.0},
		{"float64", "inf", math.Inf(1)},
		{"float64", "+Infinity", math.Inf(1)},
		{"float64", "nan", math.NaN()},
		{"float64", "NaN", math.NaN()},
		{"bool", "true", true},
		{"bool", "false", false},
		{"string", "", ""},
		{"string", "  Grüße ", "  Grüße "},
		{"string", "hex:00", "hex:00"},
		{"string", "a@b", "a@b"},
		{"string", "@text", "@@text\n"},
		{"string", "@-", "stdin\n"},
		{"string", "@@", "@"},
		{"string", "@@-", "@-"},
		{"string", "@@@x", "@@x"},
		{"bytes", "", []byte{}},
		{"bytes", "text\n", []byte("text\n")},
		{"bytes", "\xff", []byte{0xff}},
		{"bytes", "hex:", []byte{}},
		{"bytes", "hex:00fF", []byte{0, 0xff}},
		{"bytes", "HEX:00", []byte("HEX:00")},
		{"bytes", "@binary", []byte{0, 0xff}},
		{"bytes", "@text", []byte("@@text\n")},
		{"bytes", "@@hex:", []byte("@hex:")},
		{"void", "", nil},
	} {
		got, err := Parse(test.typ, test.text, files)
		if err != nil || !same(got, test.want) {
			t.Errorf("Parse(%s, %q) = %#v, %v; want %#v", test.typ, test.text, got, err, test.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9", 100)
	for _, test := range []struct{ typ, text, want string }{
		{"int32", "", `"" is not an int32, which is a whole number`},
		{"int32", " 5", `" 5" is not an int32, which is a whole number`},
		{"int32", "1.0", `"1.0" is not an int32, which is a whole number`},
		{"int32", "08", `"08" is not an int32, which is a whole number`},
		{"int32", "1__0", `"1__0" is not an int32, which is a whole number`},
		{"uint64", "@-", `"@-" is not a uint64, which is a whole number`},
		{"int32", "2147483648", "2147483648 is out of range: an int32 is from -2147483648 to 2147483647"},
		{"int32", "-0x80000001", "-0x80000001 is out of range: an int32 is from -2147483648 to 2147483647"},
		{"uint32", "-1", "-1 is out of range: a uint32 is from 0 to 4294967295"},
		{"uint32", "4294967296", "4294967296 is out of range: a uint32 is from 0 to 4294967295"},
		{
			"int64", "9223372036854775808",
			"9223372036854775808 is out of range: an int64 is from -9223372036854775808 to 9223372036854775807",
		},
		{"uint64", "-1", "-1 is out of range: a uint64 is from 0 to 18446744073709551615"},
		{"uint64", long, long[:60] + "... is out of range: a uint64 is from 0 to 18446744073709551615"},
		{"float32", "1e39", "1e39 is out of range: a float32 is up to 3.4028234663852886e+38"},
		{"float64", "-1e400", "-1e400 is out of range: a float64 is up to 1.7976931348623157e+308"},
		{"float64", "one", `"one" is not a float64, which is a number such as 1.5 or 6e23`},
		{"float32", "", `"" is not a float32, which is a number such as 1.5 or 6e23`},
		{"bool", "yes", `"yes" is not a bool, which is true or false`},
		{"bool", "True", `"True" is not a bool, which is true or false`},
		{"string", "a\xff", "it is not UTF-8, which a string is"},
		{"string", "@binary", "it is not UTF-8, which a string is"},
		{"string", "@", "@ names no file; the text @ is written @@"},
		{"string", "@nosuch", "no such file"},
		{"bytes", "@", "@ names no file; the text @ is written @@"},
		{"bytes", "@nosuch", "no such file"},
		{"bytes", "hex:0", `"hex:0" is not hexadecimal, which is pairs of digits, such as hex:00ff`},
		{"bytes", "hex:0x", `"hex:0x" is not hexadecimal, which is pairs of digits, such as hex:00ff`},
		{"void", "x", `"x" is given for it, and it returns nothing`},
		{"map", "x", `the type "map" is not known`},
	} {
		got, err := Parse(test.typ, test.text, files)
		if err == nil || err.Error() != test.want {
			t.Errorf("Parse(%s, %q) = %#v, %v; want %s", test.typ, test.text, got, err, test.want)
		}
	}
}

func TestFormat(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		v    any
		want string
	}{
		{nil, ""},
		{int32(-1), "-1"},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{true, "true"},
		{float32(0.1), "0.1"},
		{1e6, "1000000"},
		{1e21, "1e+21"},
		{math.Copysign(0, -1), "-0"},
		{math.NaN(), "NaN"},
		{float32(math.Inf(1)), "Infinity"},
		{math.Inf(-1), "-Infinity"},
		{"a <b>\n", "a <b>\n"},
		{[]byte{0, 0xff}, "\x00\xff"},
	} {
		if got := Format(test.v); got != test.want {
			t.Errorf("Format(%#v) = %q; want %q", test.v, got, test.want)
		}
	}
}

func TestType(t *testing.T) {
	t.Parallel()
	for typ, want := range map[string]any{
		"int32": int32(0), "uint32": uint32(0), "int64": int64(0), "uint64": uint64(0),
		"float32": float32(0), "float64": 0.0, "bool": false, "string": "", "bytes": []byte{}, "void": nil,
	} {
		if got, err := Type(typ); err != nil || got != reflect.TypeOf(want) {
			t.Errorf("Type(%s) = %v, %v; want %T", typ, got, err, want)
		}
	}
	if got, err := Type("map"); !errors.As(err, new(UnknownTypeError)) {
		t.Errorf("Type(map) = %v, %v; want an UnknownTypeError", got, err)
	}
}

// argument writes a value so that Parse reads it: there is a way for each.
func argument(v any) string {
	text := Format(v)
	_, isBytes := v.([]byte)
	switch {
	case isBytes && strings.HasPrefix(text, hexPrefix):
		return hexPrefix + hex.EncodeToString([]byte(text))
	case reflect.TypeOf(v).Kind() != reflect.String && !isBytes:
		return text
	case strings.HasPrefix(text, "@"):
		return "@" + text
	}
	return text
}

// FuzzParseArgument makes values of anything, both as typed and as JSON, and
// writes them again.
func FuzzParseArgument(f *testing.F) {
	types := []string{"int32", "uint32", "int64", "uint64", "float32", "float64", "bool", "string", "bytes", "void", "map"}
	for i, text := range []string{
		"-0x8000_0000", "4_294_967_295", "-9223372036854775808", "18446744073709551615", "3.4e38", "-inf", "true",
		"@@text", "hex:00ff", "", "x", "hex:6865783a", "@-", "@binary", "nan", `"Infinity"`, `"AP8="`, "1e3", `"\ud800"`, "null",
	} {
		f.Add(uint8(i%len(types)), text, uint64(math.MaxUint64)<<i)
	}
	f.Fuzz(func(t *testing.T, index uint8, text string, bits uint64) {
		typ := types[int(index)%len(types)]
		want, _ := Type(typ)
		if v, err := Parse(typ, text, files); err == nil && want != nil {
			if reflect.TypeOf(v) != want {
				t.Fatalf("Parse(%s, %q) is a %T; want a %v", typ, text, v, want)
			}
			roundTrip(t, typ, v)
		}
		for typ, v := range map[string]any{
			"int32": int32(bits), "uint32": uint32(bits), "int64": int64(bits), "uint64": bits, "bool": bits&1 != 0,
			"float32": math.Float32frombits(uint32(bits)), "float64": math.Float64frombits(bits),
			"string": strings.ToValidUTF8(text, "?"), "bytes": []byte(text),
		} {
			roundTrip(t, typ, v)
		}
		list, err := DecodeList([]byte("[" + text + "]"))
		if err != nil || len(list) != 1 {
			return
		}
		if v, err := FromJSON(typ, list[0]); err == nil {
			if reflect.TypeOf(v) != want {
				t.Fatalf("FromJSON(%s, %q) is a %T; want a %v", typ, text, v, want)
			}
			roundTrip(t, typ, v)
		}
	})
}

// roundTrip writes a value in both ways, and reads it again.
func roundTrip(t *testing.T, typ string, v any) {
	t.Helper()
	typed, err := Parse(typ, argument(v), files)
	if err != nil || !same(typed, v) {
		t.Errorf("%#v as an argument is %q, which is %#v, %v", v, argument(v), typed, err)
	}
	text, err := json.Marshal([]any{ToJSON(v)})
	if err != nil {
		t.Fatalf("%#v as JSON: %v", v, err)
	}
	list, err := DecodeList(text)
	if err != nil || len(list) != 1 {
		t.Fatalf("DecodeList(%s) = %v, %v; want one value", text, list, err)
	}
	again, err := FromJSON(typ, list[0])
	if err != nil || !same(again, v) {
		t.Errorf("%#v as JSON is %s, which is %#v, %v", v, text, again, err)
	}
	if b, ok := v.([]byte); ok && !bytes.Equal(b, again.([]byte)) || !utf8.Valid(text) {
		t.Errorf("%#v as JSON is %q", v, text)
	}
}
