package wire

import (
	"fmt"
	"math"
	"slices"

	flatbuffers "github.com/google/flatbuffers/go"

	"github.com/airlockvm/airlock/internal/wire/fb"
)

// The reference: the same messages read by the code that flatc generates. It
// checks nothing, so it is for verified messages only.

func referenceCall(msg []byte) Call {
	t := fb.GetSizePrefixedRootAsFunctionCall(msg, 0)
	c := Call{Name: string(t.Name())}
	for i := range t.ParametersLength() {
		var p fb.Parameter
		if !t.Parameters(&p, i) {
			panic("no parameter")
		}
		var union flatbuffers.Table
		if !p.Value(&union) {
			panic("no value")
		}
		c.Args = append(c.Args, referenceValue(uint8(p.ValueType()), union))
	}
	return c
}

func referenceResult(msg []byte) Result {
	t := fb.GetSizePrefixedRootAsFunctionResult(msg, 0)
	var union flatbuffers.Table
	if !t.Outcome(&union) {
		panic("no outcome")
	}
	if t.OutcomeType() == fb.OutcomeError {
		var e fb.Error
		e.Init(union.Bytes, union.Pos)
		return Result{Err: &ErrorInfo{ErrorCode(e.Code()), string(e.Message())}}
	}
	return Result{Value: referenceValue(uint8(t.OutcomeType()), union)}
}

// referenceValue reads a member of Value or Outcome: their numbers agree.
func referenceValue(typ uint8, u flatbuffers.Table) Value {
	switch fb.Outcome(typ) {
	case fb.OutcomeValueInt32:
		var t fb.ValueInt32
		t.Init(u.Bytes, u.Pos)
		return Int32(t.Value())
	case fb.OutcomeValueUint32:
		var t fb.ValueUint32
		t.Init(u.Bytes, u.Pos)
		return Uint32(t.Value())
	case fb.OutcomeValueInt64:
		var t fb.ValueInt64
		t.Init(u.Bytes, u.Pos)
		return Int64(t.Value())
	case fb.OutcomeValueUint64:
		var t fb.ValueUint64
		t.Init(u.Bytes, u.Pos)
		return Uint64(t.Value())
	case fb.OutcomeValueFloat32:
		var t fb.ValueFloat32
		t.Init(u.Bytes, u.Pos)
		return Float32(t.Value())
	case fb.OutcomeValueFloat64:
		var t fb.ValueFloat64
		t.Init(u.Bytes, u.Pos)
		return Float64(t.Value())
	case fb.OutcomeValueBool:
		var t fb.ValueBool
		t.Init(u.Bytes, u.Pos)
		return Bool(t.Value())
	case fb.OutcomeValueString:
		var t fb.ValueString
		t.Init(u.Bytes, u.Pos)
		return String(string(t.Value()))
	case fb.OutcomeValueBytes:
		var t fb.ValueBytes
		t.Init(u.Bytes, u.Pos)
		return Bytes(t.ValueBytes())
	case fb.OutcomeValueVoid:
		return Void()
	case fb.OutcomeNONE, fb.OutcomeError:
	}
	panic(fmt.Sprintf("union type %d", typ))
}

func referenceError(msg []byte) ErrorInfo {
	t := fb.GetSizePrefixedRootAsError(msg, 0)
	return ErrorInfo{ErrorCode(t.Code()), string(t.Message())}
}

func referenceLogRecord(msg []byte) LogRecord {
	t := fb.GetSizePrefixedRootAsLogRecord(msg, 0)
	r := LogRecord{
		Level: Level(t.Level()), Message: string(t.Message()), Source: string(t.Source()),
		File: string(t.File()), Line: t.Line(),
	}
	for i := range t.AttributesLength() {
		var a fb.LogAttribute
		if !t.Attributes(&a, i) {
			panic("no attribute")
		}
		r.Attrs = append(r.Attrs, Attr{string(a.Key()), string(a.Value())})
	}
	return r
}

func referenceDeclaration(msg []byte) Declaration {
	t := fb.GetSizePrefixedRootAsGuestDeclaration(msg, 0)
	return Declaration{
		Exports: referenceFunctions(t.ExportsLength(), t.Exports), Imports: referenceFunctions(t.ImportsLength(), t.Imports),
		SDKName: string(t.SdkName()), SDKVersion: string(t.SdkVersion()),
	}
}

func referenceHostFunctions(msg []byte) HostFunctions {
	t := fb.GetSizePrefixedRootAsHostFunctions(msg, 0)
	return HostFunctions{referenceFunctions(t.FunctionsLength(), t.Functions)}
}

func referenceFunctions(n int, get func(*fb.Function, int) bool) (functions []Function) {
	for i := range n {
		var t fb.Function
		if !get(&t, i) {
			panic("no function")
		}
		f := Function{Name: string(t.Name()), Return: Kind(t.ReturnType())}
		for j := range t.ParametersLength() {
			f.Params = append(f.Params, Kind(t.Parameters(j)))
		}
		functions = append(functions, f)
	}
	return functions
}

// The same messages written by the FlatBuffers library, which lays them out in
// quite another way: from the end, with defaults left out, with shared vtables.

func buildCall(c Call) []byte {
	b := flatbuffers.NewBuilder(0)
	var params []flatbuffers.UOffsetT
	for _, arg := range c.Args {
		typ, value := buildValue(b, arg)
		fb.ParameterStart(b)
		fb.ParameterAddValueType(b, fb.Value(typ))
		fb.ParameterAddValue(b, value)
		params = append(params, fb.ParameterEnd(b))
	}
	list := buildList(b, params)
	name := b.CreateString(c.Name)
	fb.FunctionCallStart(b)
	fb.FunctionCallAddName(b, name)
	if len(params) > 0 {
		fb.FunctionCallAddParameters(b, list)
	}
	return finish(b, fb.FunctionCallEnd(b), &callMessage)
}

func buildResult(r Result) []byte {
	b := flatbuffers.NewBuilder(0)
	var typ uint8
	var value flatbuffers.UOffsetT
	if r.Err != nil {
		typ, value = outcomeError, buildErrorTable(b, *r.Err)
	} else {
		typ, value = buildValue(b, r.Value)
	}
	fb.FunctionResultStart(b)
	fb.FunctionResultAddOutcome(b, value)
	fb.FunctionResultAddOutcomeType(b, fb.Outcome(typ))
	return finish(b, fb.FunctionResultEnd(b), &resultMessage)
}

func buildError(e ErrorInfo) []byte {
	b := flatbuffers.NewBuilder(0)
	return finish(b, buildErrorTable(b, e), &errorMessage)
}

func buildErrorTable(b *flatbuffers.Builder, e ErrorInfo) flatbuffers.UOffsetT {
	message := b.CreateString(e.Message)
	fb.ErrorStart(b)
	fb.ErrorAddCode(b, fb.ErrorCode(e.Code))
	fb.ErrorAddMessage(b, message)
	return fb.ErrorEnd(b)
}

func buildValue(b *flatbuffers.Builder, v Value) (uint8, flatbuffers.UOffsetT) {
	var child flatbuffers.UOffsetT
	if text, ok := v.Text(); ok {
		child = b.CreateString(text)
	}
	if data, ok := v.Bytes(); ok {
		child = b.CreateByteVector(data)
	}
	b.StartObject(1)
	switch v.Kind() {
	case KindInt32:
		fb.ValueInt32AddValue(b, first(v.Int32()))
	case KindUint32:
		fb.ValueUint32AddValue(b, first(v.Uint32()))
	case KindInt64:
		fb.ValueInt64AddValue(b, first(v.Int64()))
	case KindUint64:
		fb.ValueUint64AddValue(b, first(v.Uint64()))
	case KindFloat32:
		if f := first(v.Float32()); f == 0 && math.Signbit(float64(f)) {
			b.PrependFloat32(f) // AddValue would take it for the default
			b.Slot(0)
		} else {
			fb.ValueFloat32AddValue(b, f)
		}
	case KindFloat64:
		if f := first(v.Float64()); f == 0 && math.Signbit(f) {
			b.PrependFloat64(f)
			b.Slot(0)
		} else {
			fb.ValueFloat64AddValue(b, f)
		}
	case KindBool:
		fb.ValueBoolAddValue(b, first(v.Bool()))
	case KindString:
		fb.ValueStringAddValue(b, child)
	case KindBytes:
		fb.ValueBytesAddValue(b, child)
	case KindVoid, KindInvalid:
	}
	return uint8(v.Kind()), b.EndObject()
}

func buildLogRecord(r LogRecord) []byte {
	b := flatbuffers.NewBuilder(0)
	var attrs []flatbuffers.UOffsetT
	for _, a := range r.Attrs {
		key, value := b.CreateString(a.Key), b.CreateString(a.Value)
		fb.LogAttributeStart(b)
		fb.LogAttributeAddKey(b, key)
		fb.LogAttributeAddValue(b, value)
		attrs = append(attrs, fb.LogAttributeEnd(b))
	}
	list := buildList(b, attrs)
	message, source, file := b.CreateString(r.Message), b.CreateString(r.Source), b.CreateString(r.File)
	fb.LogRecordStart(b)
	fb.LogRecordAddLevel(b, fb.LogLevel(r.Level))
	fb.LogRecordAddMessage(b, message)
	if r.Source != "" {
		fb.LogRecordAddSource(b, source)
	}
	fb.LogRecordAddFile(b, file)
	fb.LogRecordAddLine(b, r.Line)
	fb.LogRecordAddAttributes(b, list)
	return finish(b, fb.LogRecordEnd(b), &logMessage)
}

func buildDeclaration(d Declaration) []byte {
	b := flatbuffers.NewBuilder(0)
	exports, imports := buildFunctions(b, d.Exports), buildFunctions(b, d.Imports)
	name, version := b.CreateString(d.SDKName), b.CreateString(d.SDKVersion)
	fb.GuestDeclarationStart(b)
	fb.GuestDeclarationAddExports(b, exports)
	if len(d.Imports) > 0 {
		fb.GuestDeclarationAddImports(b, imports)
	}
	fb.GuestDeclarationAddSdkName(b, name)
	fb.GuestDeclarationAddSdkVersion(b, version)
	return finish(b, fb.GuestDeclarationEnd(b), &declarationMessage)
}

func buildHostFunctions(h HostFunctions) []byte {
	b := flatbuffers.NewBuilder(0)
	functions := buildFunctions(b, h.Functions)
	fb.HostFunctionsStart(b)
	fb.HostFunctionsAddFunctions(b, functions)
	return finish(b, fb.HostFunctionsEnd(b), &hostFunctionsMessage)
}

func buildFunctions(b *flatbuffers.Builder, functions []Function) flatbuffers.UOffsetT {
	var items []flatbuffers.UOffsetT
	for _, f := range functions {
		kinds := make([]byte, len(f.Params))
		for i, kind := range f.Params {
			kinds[i] = byte(kind)
		}
		name, params := b.CreateString(f.Name), b.CreateByteVector(kinds)
		fb.FunctionStart(b)
		fb.FunctionAddName(b, name)
		if len(kinds) > 0 {
			fb.FunctionAddParameters(b, params)
		}
		fb.FunctionAddReturnType(b, fb.ValueType(f.Return))
		items = append(items, fb.FunctionEnd(b))
	}
	return buildList(b, items)
}

func buildList(b *flatbuffers.Builder, items []flatbuffers.UOffsetT) flatbuffers.UOffsetT {
	b.StartVector(4, len(items), 4)
	for _, item := range slices.Backward(items) {
		b.PrependUOffsetT(item)
	}
	return b.EndVector(len(items))
}

func finish(b *flatbuffers.Builder, root flatbuffers.UOffsetT, m *message) []byte {
	b.FinishSizePrefixedWithFileIdentifier(root, []byte(m.id))
	return b.FinishedBytes()
}
