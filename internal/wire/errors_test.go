package wire

import (
	"errors"
	"math"
	"strings"
	"testing"
)

func TestReasonTexts(t *testing.T) {
	seen := map[string]Reason{}
	for i := range reasonCount {
		r := Reason(i)
		text := r.Error()
		if old, ok := seen[text]; ok || text == "wire: " {
			t.Errorf("reasons %d and %d have the text %q", old, r, text)
		}
		seen[text] = r
	}
	if Reason(reasonCount).Error() != reasonInvalid.Error() || Reason(255).Error() != reasonInvalid.Error() {
		t.Error("a number without a reason has the text of one")
	}
}

func TestErrorText(t *testing.T) {
	for _, row := range []struct {
		err  *Error
		want string
	}{
		{&Error{Reason: ErrUTF8, Offset: 12}, "wire: not valid UTF-8 (at byte 12)"},
		{&Error{Reason: ErrUTF8, Offset: NoOffset}, "wire: not valid UTF-8"},
		{
			(&Error{Reason: ErrRange, Offset: 40, Got: 200, Limit: 9}).in("value").at(3).in("parameters").in("function_call"),
			"wire: function_call.parameters[3].value: not a value that the schema has here: 200, limit 9 (at byte 40)",
		},
	} {
		if got := row.err.Error(); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}

// TestUnfit tries everything that can't be sent.
func TestUnfit(t *testing.T) {
	long := strings.Repeat("n", MaxName+1)
	f := Function{Name: "f", Return: KindVoid}
	for _, row := range []struct {
		codec codec
		value any
		want  Reason
		path  string
	}{
		{callCodec, Call{}, ErrName, "function_call.name"},
		{callCodec, Call{Name: "a\x00"}, ErrName, "function_call.name"},
		{callCodec, Call{Name: "\xff"}, ErrUTF8, "function_call.name"},
		{callCodec, Call{Name: long}, ErrLength, "function_call.name"},
		{callCodec, Call{Name: "f", Args: []Value{Int32(1), {}}}, ErrRange, "function_call.parameters[1].value"},
		{callCodec, Call{Name: "f", Args: []Value{Void()}}, ErrRange, "function_call.parameters[0].value"},
		{callCodec, Call{Name: "f", Args: []Value{{kind: 200}}}, ErrRange, "function_call.parameters[0].value"},
		{callCodec, Call{Name: "f", Args: []Value{String("a\xc5")}}, ErrUTF8, "function_call.parameters[0].value"},
		{callCodec, Call{Name: "f", Args: make([]Value, 33)}, ErrCount, "function_call.parameters"},
		{resultCodec, Result{}, ErrRange, "function_result.outcome.value"},
		{resultCodec, Result{Value: String("\x80")}, ErrUTF8, "function_result.outcome.value"},
		{resultCodec, Result{Err: &ErrorInfo{}}, ErrRange, "function_result.outcome.code"},
		{errorCodec, ErrorInfo{}, ErrRange, "error.code"},
		{errorCodec, ErrorInfo{Code: CodeAborted + 1}, ErrRange, "error.code"},
		{logCodec, LogRecord{}, ErrRange, "log_record.level"},
		{logCodec, LogRecord{Level: LevelError + 1}, ErrRange, "log_record.level"},
		{logCodec, LogRecord{Level: LevelInfo, Attrs: make([]Attr, 33)}, ErrCount, "log_record.attributes"},
		{declarationCodec, Declaration{SDKName: long}, ErrLength, "guest_declaration.sdk_name"},
		{declarationCodec, Declaration{SDKVersion: "\xff"}, ErrUTF8, "guest_declaration.sdk_version"},
		{declarationCodec, Declaration{Exports: []Function{f, f}}, ErrDuplicate, "guest_declaration.exports[1].name"},
		{declarationCodec, Declaration{Imports: []Function{f, {}}}, ErrName, "guest_declaration.imports[1].name"},
		{hostFunctionsCodec, HostFunctions{[]Function{{Name: "f"}}}, ErrRange, "host_functions.functions[0].return_type"},
		{
			hostFunctionsCodec,
			HostFunctions{[]Function{{Name: "f", Return: KindVoid, Params: []Kind{KindBool, KindVoid}}}},
			ErrRange, "host_functions.functions[0].parameters[1]",
		},
		{
			hostFunctionsCodec,
			HostFunctions{[]Function{{Name: "f", Return: KindVoid, Params: make([]Kind, 33)}}},
			ErrCount, "host_functions.functions[0].parameters",
		},
	} {
		dst := []byte("kept")
		got, err := row.codec.encode(dst, row.value)
		n, putErr := row.codec.put(make([]byte, 1<<16), row.value)
		for _, err := range []error{err, putErr} {
			var e *Error
			if !errors.As(err, &e) || e.Reason != row.want || e.Path != row.path || e.Offset != NoOffset {
				t.Errorf("%+v: %v, want %v at %s", row.value, err, row.want, row.path)
			}
			if !errors.Is(err, ErrInvalid) || errors.Is(err, ErrMalformed) || errors.Is(err, ErrTooLarge) != row.want.isLimit() {
				t.Errorf("%v is in the wrong groups", err)
			}
		}
		if string(got) != "kept" || n != 0 {
			t.Errorf("%+v: got %q and %d bytes with an error", row.value, got, n)
		}
	}
}

// TestNil checks that a nil pointer is an error, not a panic.
func TestNil(t *testing.T) {
	if _, err := AppendCall(nil, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("AppendCall: %v", err)
	}
	if _, err := PutHostFunctions(nil, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("PutHostFunctions: %v", err)
	}
}

// TestEnumTexts checks that all names differ and that numbers without one are
// shown.
func TestEnumTexts(t *testing.T) {
	seen := map[string]bool{}
	for n := range math.MaxUint8 + 1 {
		for _, text := range []string{
			"kind " + Kind(n).String(), "code " + ErrorCode(n).String(), "level " + Level(n).String(),
		} {
			if seen[text] {
				t.Errorf("two numbers are called %s", text)
			}
			seen[text] = true
		}
	}
	if got := Kind(200).String(); got != "unknown 200" {
		t.Errorf("Kind(200) is called %q", got)
	}
	for kind := range KindVoid + 2 {
		param := kind >= KindInt32 && kind <= KindBytes
		if kind.IsParam() != param || kind.IsReturn() != (param || kind == KindVoid) {
			t.Errorf("%v: IsParam %v, IsReturn %v", kind, kind.IsParam(), kind.IsReturn())
		}
	}
}
