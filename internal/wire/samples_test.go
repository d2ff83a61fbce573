package wire

import (
	"fmt"
	"math"
	"strings"
)

// values are one Value of each interesting kind and size, by name.
func values() []sample {
	return []sample{
		{"int32-zero", Int32(0)},
		{"int32-min", Int32(math.MinInt32)},
		{"int32-max", Int32(math.MaxInt32)},
		{"uint32-max", Uint32(math.MaxUint32)},
		{"int64-minus-one", Int64(-1)},
		{"int64-min", Int64(math.MinInt64)},
		{"uint64-max", Uint64(math.MaxUint64)},
		{"float32-minus-zero", Float32(float32(math.Copysign(0, -1)))},
		{"float32-smallest", Float32(math.SmallestNonzeroFloat32)},
		{"float32-signalling-nan", Value{kind: KindFloat32, bits: 0x7f800001}},
		{"float32-inf", Float32(float32(math.Inf(-1)))},
		{"float64-minus-zero", Float64(math.Copysign(0, -1))},
		{"float64-pi", Float64(math.Pi)},
		{"float64-nan-payload", Float64(math.Float64frombits(0xfff8dead_beef0001))},
		{"float64-signalling-nan", Float64(math.Float64frombits(0x7ff00000_00000001))},
		{"float64-max", Float64(math.MaxFloat64)},
		{"bool-true", Bool(true)},
		{"bool-false", Bool(false)},
		{"string-empty", String("")},
		{"string-nul", String("a\x00b")},
		{"string-unicode", String("zażółć 火 🚀")},
		{"string-64", String(strings.Repeat("0123456789abcdef", 4))},
		{"bytes-empty", Bytes(nil)},
		{"bytes-any", Bytes([]byte{0, 0xff, 0x80, 0xc3, 0x28})},
	}
}

// samplesOf returns messages of one kind.
func samplesOf(m *message) (list []sample) {
	switch m {
	case &callMessage:
		return callSamples()
	case &resultMessage:
		for _, v := range values() {
			list = append(list, sample{v.name, Result{Value: v.value.(Value)}})
		}
		list = append(list, sample{"void", Result{Value: Void()}})
		for code := CodeFailed; code <= CodeAborted; code++ {
			list = append(list, sample{"error-" + wordOf(code), Result{Err: &ErrorInfo{code, "why " + code.String()}}})
		}
		return append(list, sample{"error-silent", Result{Err: &ErrorInfo{Code: CodeFailed}}})
	case &errorMessage:
		return []sample{
			{"aborted", ErrorInfo{CodeAborted, "out of cheese"}},
			{"silent", ErrorInfo{Code: CodeAborted}},
			{"longest", ErrorInfo{CodeFailed, strings.Repeat("long", MaxErrorText/4)}},
		}
	case &logMessage:
		return []sample{
			{"plain", LogRecord{Level: LevelInfo, Message: "hello"}},
			{"empty", LogRecord{Level: LevelTrace}},
			{"full", LogRecord{
				Level: LevelError, Message: "can't open\nfile", Source: "store", File: "store/open.go", Line: math.MaxUint32,
				Attrs: []Attr{{"path", "/data/ż"}, {"", ""}, {"path", "again"}},
			}},
			{"attributes-32", LogRecord{Level: LevelDebug, Message: "many", Attrs: make([]Attr, MaxLogAttrs)}},
		}
	case &declarationMessage:
		return []sample{
			{"empty", Declaration{}},
			{"hello", Declaration{
				Exports: []Function{{Name: "SayHello", Params: []Kind{KindString}, Return: KindString}},
				Imports: []Function{{Name: "GetWeekday", Return: KindString}},
				SDKName: "airlock-go", SDKVersion: "1.2.3",
			}},
			{"every-kind", Declaration{Exports: functions(), Imports: functions()[:1], SDKName: "ż", SDKVersion: "0"}},
		}
	case &hostFunctionsMessage:
		return []sample{
			{"none", HostFunctions{}},
			{"every-kind", HostFunctions{functions()}},
		}
	}
	panic("no samples for " + m.name)
}

func callSamples() []sample {
	list := []sample{
		{"no-params", Call{Name: "f"}},
		{"longest-name", Call{Name: strings.Repeat("n", MaxName), Args: []Value{Int32(7)}}},
		{"unicode-name", Call{Name: "grüße 🚀"}},
	}
	for _, v := range values() {
		list = append(list, sample{v.name, Call{Name: "echo", Args: []Value{v.value.(Value)}}})
	}
	mixed := make([]Value, MaxParams)
	for i := range mixed {
		mixed[i] = values()[i%len(values())].value.(Value)
	}
	return append(list, sample{"params-32", Call{Name: "mixed", Args: mixed}})
}

// functions has a function for every kind and every number of parameters that
// matters.
func functions() []Function {
	list := []Function{{Name: "most", Params: make([]Kind, MaxParams), Return: KindVoid}}
	for i := range list[0].Params {
		list[0].Params[i] = KindInt32 + Kind(i)%KindBytes
	}
	for kind := KindInt32; kind <= KindBytes; kind++ {
		list = append(list, Function{Name: "f" + kind.String(), Params: []Kind{kind}, Return: kind})
	}
	return list
}

// manyFunctions returns n functions with different names.
func manyFunctions(n int) []Function {
	list := make([]Function, n)
	for i := range list {
		list[i] = Function{Name: fmt.Sprint("function", i), Params: []Kind{KindBytes}, Return: KindVoid}
	}
	return list
}

// largestLogRecord is at every limit of a log record.
func largestLogRecord() LogRecord {
	r := LogRecord{
		Level: LevelWarn, Message: strings.Repeat("m", MaxLogText), Source: strings.Repeat("s", MaxLogSource),
		File: strings.Repeat("f", MaxLogFile), Line: math.MaxUint32,
	}
	for range MaxLogAttrs {
		r.Attrs = append(r.Attrs, Attr{strings.Repeat("k", MaxLogKey), strings.Repeat("v", MaxLogValue)})
	}
	return r
}
