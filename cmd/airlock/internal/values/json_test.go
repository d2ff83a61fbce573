package values

import (
	"encoding/json"
	"math"
	"testing"
)

func TestFromJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		typ, text string
		want      any
	}{
		{"int32", "-2147483648", int32(math.MinInt32)},
		{"int32", "-0", int32(0)},
		{"uint32", "4294967295", uint32(math.MaxUint32)},
		{"int64", "9223372036854775807", int64(math.MaxInt64)},
		{"uint64", "18446744073709551615", uint64(math.MaxUint64)},
		{"float32", "0.1", float32(0.1)},
		{"float64", "9007199254740993", float64(9007199254740992)},
		{"float64", "1e-7", 1e-7},
		{"float64", "-0", math.Copysign(0, -1)},
		{"float64", `"NaN"`, math.NaN()},
		{"float32", `"Infinity"`, float32(math.Inf(1))},
		{"float64", `"-Infinity"`, math.Inf(-1)},
		{"bool", "false", false},
		{"string", `"@-"`, "@-"},
		{"string", `"\u0000ü"`, "\x00ü"},
		{"bytes", `""`, []byte{}},
		{"bytes", `"AP8="`, []byte{0, 0xff}},
	} {
		list, err := DecodeList([]byte(" [" + test.text + "]\n"))
		if err != nil || len(list) != 1 {
			t.Fatalf("DecodeList([%s]) = %v, %v; want one value", test.text, list, err)
		}
		if got, err := FromJSON(test.typ, list[0]); err != nil || !same(got, test.want) {
			t.Errorf("FromJSON(%s, %s) = %#v, %v; want %#v", test.typ, test.text, got, err, test.want)
		}
	}
}

func TestFromJSONRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ typ, text, want string }{
		{"int32", "2147483648", "2147483648 is out of range: an int32 is from -2147483648 to 2147483647"},
		{"int32", "1.0", `"1.0" is not an int32, which is a whole number`},
		{"int64", "1e3", `"1e3" is not an int64, which is a whole number`},
		{"int64", `"5"`, "a JSON string is not an int64, which is a whole number"},
		{"uint32", "null", "null is not a uint32, which is a whole number"},
		{"float64", "1e400", "1e400 is out of range: a float64 is up to 1.7976931348623157e+308"},
		{"float64", `"inf"`, `a JSON string is not a float64, which is a number, "NaN", "Infinity" or "-Infinity"`},
		{"float32", "null", `null is not a float32, which is a number, "NaN", "Infinity" or "-Infinity"`},
		{"bool", "0", "a JSON number is not a bool, which is true or false"},
		{"string", "true", "a JSON boolean is not a string"},
		{"string", "null", "null is not a string"},
		{"bytes", "[0,255]", "a JSON array is not bytes, which are a string in base64"},
		{"bytes", "{}", "a JSON object is not bytes, which are a string in base64"},
		{"bytes", `"AP8"`, `"AP8" is not base64, as bytes are: illegal base64 data at input byte 0`},
		{"bytes", `"AP9="`, `"AP9=" is not base64, as bytes are: illegal base64 data at input byte 3`},
		{"void", "null", `the type "void" is not known`},
	} {
		list, err := DecodeList([]byte("[" + test.text + "]"))
		if err != nil || len(list) != 1 {
			t.Fatalf("DecodeList([%s]) = %v, %v; want one value", test.text, list, err)
		}
		if got, err := FromJSON(test.typ, list[0]); err == nil || err.Error() != test.want {
			t.Errorf("FromJSON(%s, %s) = %#v, %v; want %s", test.typ, test.text, got, err, test.want)
		}
	}
}

func TestDecodeListRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":           "it is empty",
		" \n":        "it is empty",
		"null":       "it is null",
		"5":          "it is a JSON number",
		`{"a":1}`:    "it is a JSON object",
		"[1] [2]":    "something follows its end",
		"[1]]":       "something follows its end",
		"[1,":        "unexpected EOF",
		"[x]":        "invalid character 'x' looking for beginning of value",
		"[\"\xff\"]": "it is not UTF-8, which JSON is",
	} {
		if got, err := DecodeList([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("DecodeList(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
	if list, err := DecodeList([]byte("[]")); err != nil || len(list) != 0 {
		t.Errorf("DecodeList([]) = %v, %v; want none", list, err)
	}
}

func TestToJSON(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		v    any
		want string
	}{
		{nil, "null"},
		{[]byte(nil), `""`},
		{[]byte{0, 0xff}, `"AP8="`},
		{uint64(math.MaxUint64), "18446744073709551615"},
		{float32(0.1), "0.1"},
		{math.NaN(), `"NaN"`},
		{float32(math.Inf(-1)), `"-Infinity"`},
		{"x", `"x"`},
	} {
		if got, err := json.Marshal(ToJSON(test.v)); err != nil || string(got) != test.want {
			t.Errorf("ToJSON(%#v) = %s, %v; want %s", test.v, got, err, test.want)
		}
	}
}
