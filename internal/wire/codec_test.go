package wire

import (
	"encoding/hex"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// codec is one kind of message with everything that the tests do to all kinds.
type codec struct {
	msg       *message
	decode    func([]byte) (any, error)
	encode    func([]byte, any) ([]byte, error)
	put       func([]byte, any) (int, error)
	build     func(any) []byte // with the FlatBuffers library
	reference func([]byte) any // with the generated code
	samples   []sample
}

// sample is a message, by a name of the form of a file name.
type sample struct {
	name  string
	value any
}

// codecOf makes a codec of the functions for one type.
func codecOf[T any](
	m *message, decode func([]byte) (T, error), encode func([]byte, *T) ([]byte, error), put func([]byte, *T) (int, error),
	build func(T) []byte, reference func([]byte) T,
) codec {
	return codec{
		msg: m,
		decode: func(msg []byte) (any, error) {
			v, err := decode(msg)
			return v, err
		},
		encode: func(dst []byte, v any) ([]byte, error) {
			typed := v.(T)
			return encode(dst, &typed)
		},
		put: func(buf []byte, v any) (int, error) {
			typed := v.(T)
			return put(buf, &typed)
		},
		build:     func(v any) []byte { return build(v.(T)) },
		reference: func(msg []byte) any { return reference(msg) },
	}
}

var (
	callCodec        = codecOf(&callMessage, DecodeCall, AppendCall, PutCall, buildCall, referenceCall)
	resultCodec      = codecOf(&resultMessage, DecodeResult, AppendResult, PutResult, buildResult, referenceResult)
	errorCodec       = codecOf(&errorMessage, DecodeError, AppendError, PutError, buildError, referenceError)
	logCodec         = codecOf(&logMessage, DecodeLogRecord, AppendLogRecord, PutLogRecord, buildLogRecord, referenceLogRecord)
	declarationCodec = codecOf(&declarationMessage, DecodeDeclaration, AppendDeclaration, PutDeclaration,
		buildDeclaration, referenceDeclaration)
	hostFunctionsCodec = codecOf(&hostFunctionsMessage, DecodeHostFunctions, AppendHostFunctions, PutHostFunctions,
		buildHostFunctions, referenceHostFunctions)
)

// codecs returns all kinds of messages, with their samples.
func codecs() []codec {
	list := []codec{callCodec, resultCodec, errorCodec, logCodec, declarationCodec, hostFunctionsCodec}
	for i := range list {
		list[i].samples = samplesOf(list[i].msg)
	}
	return list
}

// mustEncode returns the message for a value.
func (c codec) mustEncode(tb testing.TB, v any) []byte {
	tb.Helper()
	msg, err := c.encode(nil, v)
	if err != nil {
		tb.Fatalf("%s: encode: %v", c.msg.name, err)
	}
	return msg
}

// describe writes a decoded message as lines: the form of the shared vectors,
// described in testdata/vectors/README.md. Two messages say the same if and only
// if their lines are equal.
func describe(v any) string {
	var b strings.Builder
	line := func(words ...string) { b.WriteString(strings.Join(words, " ") + "\n") }
	switch v := v.(type) {
	case Call:
		line("name", hexText(v.Name))
		for _, arg := range v.Args {
			line("param", describeValue(arg))
		}
	case Result:
		if v.Err != nil {
			line("error", wordOf(v.Err.Code), hexText(v.Err.Message))
			break
		}
		line("value", describeValue(v.Value))
	case ErrorInfo:
		line("error", wordOf(v.Code), hexText(v.Message))
	case LogRecord:
		line("level", wordOf(v.Level))
		line("message", hexText(v.Message))
		line("source", hexText(v.Source))
		line("file", hexText(v.File))
		line("line", fmt.Sprint(v.Line))
		for _, attr := range v.Attrs {
			line("attribute", hexText(attr.Key), hexText(attr.Value))
		}
	case Declaration:
		line("sdk_name", hexText(v.SDKName))
		line("sdk_version", hexText(v.SDKVersion))
		describeFunctions(line, "export", v.Exports)
		describeFunctions(line, "import", v.Imports)
	case HostFunctions:
		describeFunctions(line, "function", v.Functions)
	default:
		panic(fmt.Sprintf("no form for %T", v))
	}
	return b.String()
}

func describeFunctions(line func(...string), word string, functions []Function) {
	for _, f := range functions {
		words := []string{word, hexText(f.Name), f.Return.String()}
		for _, kind := range f.Params {
			words = append(words, kind.String())
		}
		line(words...)
	}
}

func describeValue(v Value) string {
	var text string
	switch v.Kind() {
	case KindFloat32:
		text = fmt.Sprintf("%08x", math.Float32bits(first(v.Float32())))
	case KindFloat64:
		text = fmt.Sprintf("%016x", math.Float64bits(first(v.Float64())))
	case KindString:
		text = hexText(first(v.Text()))
	case KindBytes:
		text = hexText(string(first(v.Bytes())))
	case KindVoid:
		return "void"
	case KindInt32, KindUint32, KindInt64, KindUint64, KindBool, KindInvalid:
		text = fmt.Sprint(v.Any())
	}
	return v.Kind().String() + " " + text
}

// hexText is a text in hexadecimal, so that lines can be split at blanks.
func hexText(s string) string {
	if s == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(s))
}

// wordOf is a name without blanks.
func wordOf(v fmt.Stringer) string { return strings.ReplaceAll(v.String(), " ", "-") }

// isZero reports whether nothing was decoded.
func isZero(v any) bool { return reflect.ValueOf(v).IsZero() }

// footprint is how much memory a decoded message holds.
func footprint(v any) int {
	size := int(reflect.TypeOf(v).Size())
	add := func(s string) { size += len(s) }
	value := func(v Value) { size += len(v.text) + len(v.data) }
	list := func(functions []Function) {
		size += cap(functions) * int(reflect.TypeFor[Function]().Size())
		for _, f := range functions {
			size += len(f.Name) + cap(f.Params)
		}
	}
	switch v := v.(type) {
	case Call:
		add(v.Name)
		size += cap(v.Args) * int(reflect.TypeFor[Value]().Size())
		for _, arg := range v.Args {
			value(arg)
		}
	case Result:
		value(v.Value)
		if v.Err != nil {
			size += int(reflect.TypeFor[ErrorInfo]().Size()) + len(v.Err.Message)
		}
	case ErrorInfo:
		add(v.Message)
	case LogRecord:
		size += len(v.Message) + len(v.Source) + len(v.File) + cap(v.Attrs)*int(reflect.TypeFor[Attr]().Size())
		for _, attr := range v.Attrs {
			size += len(attr.Key) + len(attr.Value)
		}
	case Declaration:
		size += len(v.SDKName) + len(v.SDKVersion)
		list(v.Exports)
		list(v.Imports)
	case HostFunctions:
		list(v.Functions)
	}
	return size
}
