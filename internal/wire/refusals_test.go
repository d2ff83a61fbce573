package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// refusal is a message with one defect.
type refusal struct {
	name   string
	codec  codec
	value  any              // what is encoded
	damage func(m *damaged) // what is then done to it
	want   Reason
	path   string
}

// damaged is a message that is being damaged. The methods find places in what
// was still a good message.
type damaged struct{ msg []byte }

func (m *damaged) root() view { return view{m.msg, 4 + uint64(binary.LittleEndian.Uint32(m.msg[4:]))} }

// child is the table that field i of t leads to.
func (m *damaged) child(t view, i uint64) view { return t.tableAt(t.field(i)) }

// item is item j of the list that field i of t leads to.
func (m *damaged) item(t view, i, j uint64) view {
	start, _ := t.vectorAt(i)
	return t.tableAt(start + 4*j)
}

// target is the position of what the offset in field i of t leads to.
func (m *damaged) target(t view, i uint64) uint64 { return t.tableAt(t.field(i)).pos }

// entry is the place in the vtable of t for field i. Tables may share it.
func (m *damaged) entry(t view, i uint64) uint64 {
	return t.pos - uint64(int64(int32(t.u32(t.pos)))) + 4 + 2*i
}

func (m *damaged) set8(pos uint64, v uint8)   { m.msg[pos] = v }
func (m *damaged) set16(pos uint64, v uint16) { binary.LittleEndian.PutUint16(m.msg[pos:], v) }
func (m *damaged) set32(pos uint64, v uint32) { binary.LittleEndian.PutUint32(m.msg[pos:], v) }

// add puts bytes at the end of the message, aligned, and returns where they are.
func (m *damaged) add(data ...byte) uint64 {
	for len(m.msg)%8 != 0 {
		m.msg = append(m.msg, 0)
	}
	pos := uint64(len(m.msg))
	m.msg = append(m.msg, data...)
	m.set32(0, uint32(len(m.msg)-4))
	return pos
}

// lead makes the offset at the position at lead to target.
func (m *damaged) lead(at, target uint64) { m.set32(at, uint32(target-at)) }

func (r refusal) bytes(tb testing.TB) []byte {
	tb.Helper()
	m := &damaged{r.codec.mustEncode(tb, r.value)}
	r.damage(m)
	return m.msg
}

var (
	plainCall   = Call{Name: "echo", Args: []Value{Int32(1), String("two"), Bytes([]byte("three"))}}
	plainResult = Result{Value: Int64(1)}
	plainList   = HostFunctions{[]Function{
		{Name: "one", Params: []Kind{KindInt32, KindString}, Return: KindVoid}, {Name: "two", Return: KindBool},
	}}
)

// headRefusals are about what every message starts with.
var headRefusals = []refusal{
	{"empty", callCodec, plainCall, func(m *damaged) { m.msg = nil }, ErrTruncated, "function_call"},
	{"header-cut", callCodec, plainCall, func(m *damaged) { m.msg = m.msg[:11] }, ErrTruncated, "function_call"},
	{"header-only", callCodec, plainCall, func(m *damaged) { m.msg = m.msg[:12]; m.set32(0, 8) }, ErrBounds, "function_call"},
	{"size-short", callCodec, plainCall, func(m *damaged) { m.msg[0]-- }, ErrSize, "function_call"},
	{"size-long", callCodec, plainCall, func(m *damaged) { m.msg[0]++ }, ErrSize, "function_call"},
	{"size-huge", callCodec, plainCall, func(m *damaged) { m.set32(0, math.MaxUint32) }, ErrSize, "function_call"},
	{"size-with-itself", callCodec, plainCall, func(m *damaged) { m.set32(0, uint32(len(m.msg))) }, ErrSize, "function_call"},
	{"identifier-result", callCodec, plainCall, func(m *damaged) { copy(m.msg[8:], "ALFR") }, ErrIdentifier, "function_call"},
	{"identifier-zero", callCodec, plainCall, func(m *damaged) { m.set32(8, 0) }, ErrIdentifier, "function_call"},
	{"root-zero", callCodec, plainCall, func(m *damaged) { m.set32(4, 0) }, ErrBounds, "function_call"},
	{"root-behind", callCodec, plainCall, func(m *damaged) { m.set32(4, uint32(len(m.msg)-4)) }, ErrBounds, "function_call"},
	{"root-huge", callCodec, plainCall, func(m *damaged) { m.set32(4, math.MaxUint32) }, ErrBounds, "function_call"},
	{"root-odd", callCodec, plainCall, func(m *damaged) { m.msg[4]++ }, ErrAlignment, "function_call"},
	{"root-last-bytes", callCodec, plainCall, func(m *damaged) {
		m.add(1, 2)
		m.lead(4, uint64(len(m.msg)-2))
	}, ErrBounds, "function_call"},
}

// tableRefusals are about tables and their vtables.
var tableRefusals = []refusal{
	{"vtable-before-start", callCodec, plainCall, func(m *damaged) { m.set32(m.root().pos, 1<<20) }, ErrBounds, "function_call"},
	{"vtable-behind-end", callCodec, plainCall, func(m *damaged) { m.set32(m.root().pos, 0xfff0_0000) }, ErrBounds, "function_call"},
	{"vtable-farthest", callCodec, plainCall, func(m *damaged) { m.set32(m.root().pos, 1<<31) }, ErrBounds, "function_call"},
	{"vtable-odd", callCodec, plainCall, func(m *damaged) { m.set32(m.root().pos, 7) }, ErrAlignment, "function_call"},
	{"vtable-tiny", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-4, 2) }, ErrVTable, "function_call"},
	{"vtable-odd-size", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-4, 7) }, ErrVTable, "function_call"},
	{"vtable-huge", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-4, 0xfffe) }, ErrBounds, "function_call"},
	{"vtable-third-field", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-4, 10) }, ErrUnknownField, "function_call"},
	{"table-tiny", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-2, 3) }, ErrVTable, "function_call"},
	{"table-huge", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-2, 0xffff) }, ErrBounds, "function_call"},
	{"field-in-head", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0), 2) }, ErrField, "function_call.name"},
	{"field-behind-end", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0), 0xfff0) }, ErrBounds, "function_call.name"},
	{"field-misaligned", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0), 6) }, ErrAlignment, "function_call.name"},
	{"field-missing", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0), 0) }, ErrMissing, "function_call.name"},
	{"long-misaligned", resultCodec, plainResult, func(m *damaged) {
		value := m.child(m.root(), 1)
		m.set16(m.entry(value, 0), 8)
		m.add(0, 0, 0, 0)
	}, ErrAlignment, "function_result.outcome.ValueInt64.value"},
	{"fields-none", callCodec, plainCall, func(m *damaged) { m.set16(m.entry(m.root(), 0)-4, 4) }, ErrMissing, "function_call.name"},
	{"enum-missing", errorCodec, ErrorInfo{Code: CodeFailed}, func(m *damaged) {
		m.set16(m.entry(m.root(), 0), 0)
	}, ErrMissing, "error.code"},
}

// valueRefusals are about unions and enumerations.
var valueRefusals = []refusal{
	{"union-type-zero", callCodec, plainCall, func(m *damaged) {
		m.set8(m.item(m.root(), 1, 0).field(0), 0)
	}, ErrUnion, "function_call.parameters[0].value"},
	{"union-type-void", callCodec, plainCall, func(m *damaged) {
		m.set8(m.item(m.root(), 1, 1).field(0), 10)
	}, ErrRange, "function_call.parameters[1].value"},
	{"union-type-255", callCodec, plainCall, func(m *damaged) {
		m.set8(m.item(m.root(), 1, 2).field(0), 255)
	}, ErrRange, "function_call.parameters[2].value"},
	{"union-type-outcome", resultCodec, plainResult, func(m *damaged) { m.set8(m.root().field(0), 12) }, ErrRange, "function_result.outcome"},
	{"union-value-missing", resultCodec, plainResult, func(m *damaged) { m.set16(m.entry(m.root(), 1), 0) }, ErrUnion, "function_result.outcome"},
	{"union-missing", resultCodec, plainResult, func(m *damaged) { m.set16(m.entry(m.root(), 0)-4, 4) }, ErrMissing, "function_result.outcome"},
	{"union-wrong-table", resultCodec, plainResult, func(m *damaged) {
		m.set8(m.root().field(0), uint8(KindString))
	}, ErrAlignment, "function_result.outcome.ValueString.value"},
	{"union-value-behind", resultCodec, plainResult, func(m *damaged) {
		m.set32(m.root().field(1), uint32(len(m.msg)))
	}, ErrBounds, "function_result.outcome"},
	{"bool-two", resultCodec, Result{Value: Bool(true)}, func(m *damaged) {
		m.set8(m.child(m.root(), 1).field(0), 2)
	}, ErrRange, "function_result.outcome.ValueBool.value"},
	{"code-zero", errorCodec, ErrorInfo{Code: CodeFailed}, func(m *damaged) { m.set8(m.root().field(0), 0) }, ErrRange, "error.code"},
	{"code-next", errorCodec, ErrorInfo{Code: CodeFailed}, func(m *damaged) {
		m.set8(m.root().field(0), uint8(codeCount))
	}, ErrRange, "error.code"},
	{"level-zero", logCodec, LogRecord{Level: LevelInfo}, func(m *damaged) { m.set8(m.root().field(0), 0) }, ErrRange, "log_record.level"},
	{"level-next", logCodec, LogRecord{Level: LevelInfo}, func(m *damaged) {
		m.set8(m.root().field(0), uint8(levelCount))
	}, ErrRange, "log_record.level"},
	{"param-kind-void", hostFunctionsCodec, plainList, func(m *damaged) {
		m.set8(m.target(m.item(m.root(), 0, 0), 1)+5, uint8(KindVoid))
	}, ErrRange, "host_functions.functions[0].parameters[1]"},
	{"param-kind-zero", hostFunctionsCodec, plainList, func(m *damaged) {
		m.set8(m.target(m.item(m.root(), 0, 0), 1)+4, 0)
	}, ErrRange, "host_functions.functions[0].parameters[0]"},
	{"return-kind-next", hostFunctionsCodec, plainList, func(m *damaged) {
		m.set8(m.item(m.root(), 0, 1).field(2), uint8(kindCount))
	}, ErrRange, "host_functions.functions[1].return_type"},
	{"duplicate", hostFunctionsCodec, plainList, func(m *damaged) {
		copy(m.msg[m.target(m.item(m.root(), 0, 1), 0)+4:], "one")
	}, ErrDuplicate, "host_functions.functions[1].name"},
	{"duplicate-export", declarationCodec, Declaration{Exports: plainList.Functions}, func(m *damaged) {
		copy(m.msg[m.target(m.item(m.root(), 0, 1), 0)+4:], "one")
	}, ErrDuplicate, "guest_declaration.exports[1].name"},
	{"duplicate-import", declarationCodec, Declaration{Imports: plainList.Functions}, func(m *damaged) {
		copy(m.msg[m.target(m.item(m.root(), 1, 1), 0)+4:], "one")
	}, ErrDuplicate, "guest_declaration.imports[1].name"},
}

// vectorRefusals are about texts and vectors.
var vectorRefusals = []refusal{
	{"offset-zero", callCodec, plainCall, func(m *damaged) { m.set32(m.root().field(0), 0) }, ErrBounds, "function_call.name"},
	{"offset-minus-one", callCodec, plainCall, func(m *damaged) { m.set32(m.root().field(0), math.MaxUint32) }, ErrBounds, "function_call.name"},
	{"offset-half", callCodec, plainCall, func(m *damaged) { m.set32(m.root().field(0), 1<<31) }, ErrBounds, "function_call.name"},
	{"offset-odd", callCodec, plainCall, func(m *damaged) { m.msg[m.root().field(0)]++ }, ErrAlignment, "function_call.name"},
	{"length-outside", callCodec, plainCall, func(m *damaged) {
		m.add(1, 0)
		m.lead(m.root().field(0), uint64(len(m.msg)-2))
	}, ErrBounds, "function_call.name"},
	{"length-huge", callCodec, plainCall, func(m *damaged) { m.set32(m.target(m.root(), 0), math.MaxUint32) }, ErrBounds, "function_call.name"},
	{"length-one-too-many", resultCodec, Result{Value: String("abc")}, func(m *damaged) {
		m.set32(m.target(m.child(m.root(), 1), 0), 5)
	}, ErrBounds, "function_result.outcome.ValueString.value"},
	{"terminator-outside", resultCodec, Result{Value: String("abc")}, func(m *damaged) {
		m.set32(m.target(m.child(m.root(), 1), 0), 4)
	}, ErrBounds, "function_result.outcome.ValueString.value"},
	{"terminator-missing", resultCodec, Result{Value: String("abc")}, func(m *damaged) {
		m.msg[len(m.msg)-1] = 'd'
	}, ErrTerminator, "function_result.outcome.ValueString.value"},
	{"bytes-one-too-many", resultCodec, Result{Value: Bytes([]byte("abc"))}, func(m *damaged) {
		m.set32(m.target(m.child(m.root(), 1), 0), 4)
	}, ErrBounds, "function_result.outcome.ValueBytes.value"},
	{"bytes-huge", resultCodec, Result{Value: Bytes([]byte("abc"))}, func(m *damaged) {
		m.set32(m.target(m.child(m.root(), 1), 0), math.MaxUint32-3)
	}, ErrBounds, "function_result.outcome.ValueBytes.value"},
	{"utf8", callCodec, plainCall, func(m *damaged) { m.set8(m.target(m.root(), 0)+4, 0xff) }, ErrUTF8, "function_call.name"},
	{"utf8-cut", callCodec, plainCall, func(m *damaged) { m.set8(m.target(m.root(), 0)+7, 0xc5) }, ErrUTF8, "function_call.name"},
	{"name-nul", callCodec, plainCall, func(m *damaged) { m.set8(m.target(m.root(), 0)+5, 0) }, ErrName, "function_call.name"},
	{"name-empty", callCodec, plainCall, func(m *damaged) {
		m.lead(m.root().field(0), m.add(0, 0, 0, 0, 0))
	}, ErrName, "function_call.name"},
	{"name-256", callCodec, plainCall, func(m *damaged) {
		m.lead(m.root().field(0), m.add(append([]byte{0, 1, 0, 0}, make([]byte, 257)...)...))
	}, ErrLength, "function_call.name"},
	{"params-33", callCodec, plainCall, func(m *damaged) {
		m.lead(m.root().field(1), m.add(append([]byte{33, 0, 0, 0}, make([]byte, 4*33)...)...))
	}, ErrCount, "function_call.parameters"},
	{"params-wrap", callCodec, plainCall, func(m *damaged) { m.set32(m.target(m.root(), 1), 1<<30) }, ErrBounds, "function_call.parameters"},
	{"params-huge", callCodec, plainCall, func(m *damaged) { m.set32(m.target(m.root(), 1), math.MaxUint32) }, ErrBounds, "function_call.parameters"},
	{"param-backwards", callCodec, plainCall, func(m *damaged) {
		m.set32(m.target(m.root(), 1)+4, math.MaxUint32-7)
	}, ErrBounds, "function_call.parameters[0]"},
	{"param-itself", callCodec, plainCall, func(m *damaged) {
		m.set32(m.target(m.root(), 1)+4, 0)
	}, ErrBounds, "function_call.parameters[0]"},
	{"error-4097", errorCodec, ErrorInfo{Code: CodeFailed}, func(m *damaged) {
		m.lead(m.root().field(1), m.add(append([]byte{1, 16, 0, 0}, make([]byte, 4098)...)...))
	}, ErrLength, "error.message"},
	{"shared-functions", hostFunctionsCodec, plainList, func(m *damaged) {
		one := m.item(m.root(), 0, 0).pos
		list := m.add(append([]byte{0, 4, 0, 0}, make([]byte, 4*MaxFunctions)...)...)
		m.lead(m.root().field(0), list)
		one = m.add(m.msg[one-12:one+64]...) + 12 // with its vtable, because offsets lead forwards
		for i := range uint64(MaxFunctions) {
			m.lead(list+4+4*i, one)
		}
	}, ErrShared, "host_functions.functions[6].parameters"},
}

// refusals returns all of them.
func refusals() []refusal {
	return slices.Concat(headRefusals, tableRefusals, valueRefusals, vectorRefusals)
}
