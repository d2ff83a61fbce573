package wire

// This file says in Go what abi/schema/*.fbs says. The verifier is driven by
// it; a test reads the schema files and compares every table, field, limit and
// enumeration.

// form is how a field lies in its table.
type form uint8

const (
	formInvalid   form = iota
	formBool           // one byte, 0 or 1
	formEnum           // one byte, 1 to field.max: 0 is never valid
	formScalar32       // any four bytes
	formScalar64       // any eight bytes
	formString         // offset of a text
	formBytes          // offset of a vector of bytes
	formEnums          // offset of a vector of formEnum
	formTables         // offset of a vector of offsets of tables
	formUnionType      // one byte: which table the next field leads to
	formUnion          // offset of a table
)

const formCount = int(formUnion) + 1

// formSize is the number of bytes that a field takes in its table.
var formSize = [formCount]uint64{
	formBool:      1,
	formEnum:      1,
	formScalar32:  4,
	formScalar64:  8,
	formString:    4,
	formBytes:     4,
	formEnums:     4,
	formTables:    4,
	formUnionType: 1,
	formUnion:     4,
}

// field describes a field of a table.
type field struct {
	name     string
	form     form
	required bool
	isName   bool     // of a text: not empty, no NUL
	max      uint64   // of an enum the largest value, of texts and vectors the largest length; 0 is no limit
	table    *table   // of formTables
	union    []*table // of formUnion, by type; the first is nil
}

// table describes a table. The position of a field is its id.
type table struct {
	name   string
	fields []field
}

// message describes a kind of message.
type message struct {
	name string
	id   string // the file identifier
	root *table
}

const maxCode, maxLevel = uint64(codeCount - 1), uint64(levelCount - 1)

var (
	valueInt32   = table{name: "ValueInt32", fields: []field{{name: "value", form: formScalar32}}}
	valueUint32  = table{name: "ValueUint32", fields: []field{{name: "value", form: formScalar32}}}
	valueInt64   = table{name: "ValueInt64", fields: []field{{name: "value", form: formScalar64}}}
	valueUint64  = table{name: "ValueUint64", fields: []field{{name: "value", form: formScalar64}}}
	valueFloat32 = table{name: "ValueFloat32", fields: []field{{name: "value", form: formScalar32}}}
	valueFloat64 = table{name: "ValueFloat64", fields: []field{{name: "value", form: formScalar64}}}
	valueBool    = table{name: "ValueBool", fields: []field{{name: "value", form: formBool}}}
	valueString  = table{name: "ValueString", fields: []field{{name: "value", form: formString, required: true}}}
	valueBytes   = table{name: "ValueBytes", fields: []field{{name: "value", form: formBytes, required: true}}}
	valueVoid    = table{name: "ValueVoid"}

	errorTable = table{name: "Error", fields: []field{
		{name: "code", form: formEnum, max: maxCode},
		{name: "message", form: formString, required: true, max: MaxErrorText},
	}}

	parameter = table{name: "Parameter", fields: []field{
		{name: "value_type", form: formUnionType},
		{name: "value", form: formUnion, required: true, union: []*table{
			nil, &valueInt32, &valueUint32, &valueInt64, &valueUint64,
			&valueFloat32, &valueFloat64, &valueBool, &valueString, &valueBytes,
		}},
	}}

	functionCall = table{name: "FunctionCall", fields: []field{
		{name: "name", form: formString, required: true, isName: true, max: MaxName},
		{name: "parameters", form: formTables, max: MaxParams, table: &parameter},
	}}

	functionResult = table{name: "FunctionResult", fields: []field{
		{name: "outcome_type", form: formUnionType},
		{name: "outcome", form: formUnion, required: true, union: []*table{
			nil, &valueInt32, &valueUint32, &valueInt64, &valueUint64,
			&valueFloat32, &valueFloat64, &valueBool, &valueString, &valueBytes,
			&valueVoid, &errorTable,
		}},
	}}

	logAttribute = table{name: "LogAttribute", fields: []field{
		{name: "key", form: formString, required: true, max: MaxLogKey},
		{name: "value", form: formString, required: true, max: MaxLogValue},
	}}

	logRecord = table{name: "LogRecord", fields: []field{
		{name: "level", form: formEnum, max: maxLevel},
		{name: "message", form: formString, required: true, max: MaxLogText},
		{name: "source", form: formString, max: MaxLogSource},
		{name: "file", form: formString, max: MaxLogFile},
		{name: "line", form: formScalar32},
		{name: "attributes", form: formTables, max: MaxLogAttrs, table: &logAttribute},
	}}

	function = table{name: "Function", fields: []field{
		{name: "name", form: formString, required: true, isName: true, max: MaxName},
		{name: "parameters", form: formEnums, max: MaxParams},
		{name: "return_type", form: formEnum, max: uint64(KindVoid)},
	}}

	guestDeclaration = table{name: "GuestDeclaration", fields: []field{
		{name: "exports", form: formTables, max: MaxFunctions, table: &function},
		{name: "imports", form: formTables, max: MaxFunctions, table: &function},
		{name: "sdk_name", form: formString, required: true, max: MaxSDK},
		{name: "sdk_version", form: formString, required: true, max: MaxSDK},
	}}

	hostFunctions = table{name: "HostFunctions", fields: []field{
		{name: "functions", form: formTables, max: MaxFunctions, table: &function},
	}}
)

// maxItemKind is the largest item of a formEnums: kinds of parameters, which
// are never void.
const maxItemKind = uint8(KindBytes)

// outcomeError is the type of an Error in the union Outcome. The types below it
// are kinds.
const outcomeError = uint8(KindVoid) + 1

// The kinds of messages.
var (
	callMessage          = message{name: "function_call", id: "ALFC", root: &functionCall}
	resultMessage        = message{name: "function_result", id: "ALFR", root: &functionResult}
	errorMessage         = message{name: "error", id: "ALER", root: &errorTable}
	logMessage           = message{name: "log_record", id: "ALLR", root: &logRecord}
	declarationMessage   = message{name: "guest_declaration", id: "ALGD", root: &guestDeclaration}
	hostFunctionsMessage = message{name: "host_functions", id: "ALHF", root: &hostFunctions}
)
