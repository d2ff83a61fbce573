package wire

import "strconv"

// Kind is the type of a value: ValueType of the schemas. The numbers are also
// those of the unions that hold values.
type Kind uint8

// The kinds of values.
const (
	// KindInvalid is the zero Kind. No value in a message has it.
	KindInvalid Kind = iota
	// KindInt32 is a signed 32-bit integer.
	KindInt32
	// KindUint32 is an unsigned 32-bit integer.
	KindUint32
	// KindInt64 is a signed 64-bit integer.
	KindInt64
	// KindUint64 is an unsigned 64-bit integer.
	KindUint64
	// KindFloat32 is a 32-bit floating-point number, kept bit by bit.
	KindFloat32
	// KindFloat64 is a 64-bit floating-point number, kept bit by bit.
	KindFloat64
	// KindBool is true or false.
	KindBool
	// KindString is UTF-8 text, which may have NUL characters.
	KindString
	// KindBytes is a sequence of bytes.
	KindBytes
	// KindVoid is no value: the result of a function that returns nothing.
	KindVoid
)

const kindCount = int(KindVoid) + 1

var kindNames = [kindCount]string{
	KindInvalid: "invalid",
	KindInt32:   "int32",
	KindUint32:  "uint32",
	KindInt64:   "int64",
	KindUint64:  "uint64",
	KindFloat32: "float32",
	KindFloat64: "float64",
	KindBool:    "bool",
	KindString:  "string",
	KindBytes:   "bytes",
	KindVoid:    "void",
}

// String returns the name that declarations and messages to people use, such
// as "int32" or "bytes".
func (k Kind) String() string { return nameOf(kindNames[:], uint8(k)) }

// IsParam reports whether a parameter may have this kind: any but void.
func (k Kind) IsParam() bool { return k > KindInvalid && k < KindVoid }

// IsReturn reports whether a result may have this kind: any, void too.
func (k Kind) IsReturn() bool { return k > KindInvalid && k <= KindVoid }

// hasBytes reports whether values of the kind are as long as they are.
func (k Kind) hasBytes() bool { return k == KindString || k == KindBytes }

// fixedSize returns how many bytes a value of a kind that has no bytes takes in a
// message.
func (k Kind) fixedSize() int {
	switch k {
	case KindInt32, KindUint32, KindFloat32, KindBool:
		return 4
	case KindInt64, KindUint64, KindFloat64:
		return 8
	case KindInvalid, KindString, KindBytes, KindVoid:
	}
	return 0
}

// ErrorCode says why a call failed.
type ErrorCode uint8

// The codes of errors that travel between host and guest.
const (
	// CodeInvalid is the zero ErrorCode. No error in a message has it.
	CodeInvalid ErrorCode = iota
	// CodeFailed means that the function ran and returned an error.
	CodeFailed
	// CodeUnknownFunction means that there is no function of that name.
	CodeUnknownFunction
	// CodeWrongParameters means that number or types of the parameters are not
	// those of the function.
	CodeWrongParameters
	// CodePanicked means that the function panicked or crashed.
	CodePanicked
	// CodeTooLarge means that the result does not fit into the message buffer.
	CodeTooLarge
	// CodeMalformed means that the message that asked for the call was refused.
	CodeMalformed
	// CodeDenied means that the function exists, but not for this caller or not now.
	CodeDenied
	// CodeCancelled means that the call was cancelled or ran out of time.
	CodeCancelled
	// CodeAborted means that the guest ended itself.
	CodeAborted
)

const codeCount = int(CodeAborted) + 1

var codeNames = [codeCount]string{
	CodeInvalid:         "invalid",
	CodeFailed:          "failed",
	CodeUnknownFunction: "unknown function",
	CodeWrongParameters: "wrong parameters",
	CodePanicked:        "panicked",
	CodeTooLarge:        "too large",
	CodeMalformed:       "malformed",
	CodeDenied:          "denied",
	CodeCancelled:       "cancelled",
	CodeAborted:         "aborted",
}

// String names the code in a word or two.
func (c ErrorCode) String() string { return nameOf(codeNames[:], uint8(c)) }

// Level is how important a log record is.
type Level uint8

// The levels of log records.
const (
	// LevelInvalid is the zero Level. No record in a message has it.
	LevelInvalid Level = iota
	// LevelTrace is for following every step.
	LevelTrace
	// LevelDebug is for finding a mistake.
	LevelDebug
	// LevelInfo is for what is worth knowing.
	LevelInfo
	// LevelWarn is for what may go wrong.
	LevelWarn
	// LevelError is for what went wrong.
	LevelError
)

const levelCount = int(LevelError) + 1

var levelNames = [levelCount]string{
	LevelInvalid: "invalid",
	LevelTrace:   "trace",
	LevelDebug:   "debug",
	LevelInfo:    "info",
	LevelWarn:    "warn",
	LevelError:   "error",
}

// String names the level in a word.
func (l Level) String() string { return nameOf(levelNames[:], uint8(l)) }

// nameOf is names[i], or a text that shows a number without a name.
func nameOf(names []string, i uint8) string {
	if int(i) < len(names) {
		return names[i]
	}
	return "unknown " + strconv.Itoa(int(i))
}
