package wire

import "encoding/binary"

// Limits that the schemas set. A message that exceeds one is neither written
// nor accepted. A test compares them with abi/schema/*.fbs.
const (
	// MaxMessage is the length of the longest message, with its size prefix: the
	// most that the offsets of the format can reach. What one sandbox accepts is
	// less, and the business of its message buffers.
	MaxMessage = 1<<31 - 1
	// MaxName is the length of the longest function name in bytes.
	MaxName = 255
	// MaxParams is the most parameters that a function has.
	MaxParams = 32
	// MaxFunctions is the most functions that a list has.
	MaxFunctions = 1024
	// MaxErrorText is the length of the longest error message in bytes.
	MaxErrorText = 4096
	// MaxLogText is the length of the longest log message in bytes.
	MaxLogText = 8192
	// MaxLogSource is the length of the longest LogRecord.Source in bytes.
	MaxLogSource = 255
	// MaxLogFile is the length of the longest LogRecord.File in bytes.
	MaxLogFile = 1024
	// MaxLogAttrs is the most attributes that a log record has.
	MaxLogAttrs = 32
	// MaxLogKey is the length of the longest Attr.Key in bytes.
	MaxLogKey = 255
	// MaxLogValue is the length of the longest Attr.Value in bytes.
	MaxLogValue = 1024
	// MaxSDK is the length of the longest SDK name or version in bytes.
	MaxSDK = 255
)

// Functions that a guest exports for the host itself. Hosts don't list them, and
// programs can't use such names for anything else.
const (
	// ReservedNames is how their names begin.
	ReservedNames = "airlock."
	// FunctionSnapshot, which takes and returns nothing, is called before a snapshot
	// is taken, by hosts that know of it.
	FunctionSnapshot = ReservedNames + "snapshot"
)

// Call asks for a call of a function.
type Call struct {
	// Name is the function: 1 to MaxName bytes of UTF-8 without NUL.
	// Guest-controlled: it is well-formed, and anything else.
	Name string
	// Args are the parameters, at most MaxParams, none of them void.
	// Guest-controlled: number and kinds need not be those of the function.
	Args []Value
}

// Result answers a call, with a value or an error.
type Result struct {
	// Value is what the function returned: void if it returns nothing. It is the
	// zero Value if Err is set.
	// Guest-controlled: the kind need not be that of the function.
	Value Value
	// Err says why there is no value, or is nil.
	Err *ErrorInfo
}

// Clear makes the result empty.
func (r *Result) Clear() {
	r.Value.Clear()
	r.Err = nil
}

// ErrorInfo is an error that travels between host and guest.
type ErrorInfo struct {
	// Code is the kind of error.
	Code ErrorCode
	// Message says what happened. When it is sent, invalid UTF-8 is replaced, and
	// what is beyond MaxErrorText is cut off.
	// Guest-controlled: valid UTF-8, and anything else.
	Message string
}

// LogRecord is a line for the host's log. When it is sent, invalid UTF-8 in
// texts is replaced, and what is beyond their limits is cut off: a guest must be
// able to say what went wrong, even with bytes that went wrong.
//
// Guest-controlled: all texts are valid UTF-8, and anything else.
type LogRecord struct {
	// Level is how important it is.
	Level Level
	// Message is the text, of up to MaxLogText bytes.
	Message string
	// Source is the part of the guest that speaks, or empty.
	Source string
	// File is the source file, or empty.
	File string
	// Line is the line in File, or 0.
	Line uint32
	// Attrs are keys and values, at most MaxLogAttrs.
	Attrs []Attr
}

// Attr is a key of a log record and its value.
type Attr struct {
	// Key is at most MaxLogKey bytes long. Keys may be empty and may repeat.
	Key string
	// Value is at most MaxLogValue bytes long.
	Value string
}

// Function says what a function is called, takes and returns.
type Function struct {
	// Name is 1 to MaxName bytes of UTF-8 without NUL.
	// Guest-controlled: it is well-formed, and anything else.
	Name string
	// Params are the kinds of the parameters, at most MaxParams, none void.
	Params []Kind
	// Return is the kind of the result. Functions without one have KindVoid.
	Return Kind
}

// Declaration is what a guest says of itself when it starts to serve.
type Declaration struct {
	// Exports are the functions that the host may call, at most MaxFunctions, each
	// of another name.
	Exports []Function
	// Imports are the host functions that the guest needs, at most MaxFunctions,
	// each of another name.
	Imports []Function
	// SDKName is what the guest was built with: at most MaxSDK bytes.
	// Guest-controlled: valid UTF-8, and anything else.
	SDKName string
	// SDKVersion is the version of that: at most MaxSDK bytes.
	// Guest-controlled: valid UTF-8, and anything else.
	SDKVersion string
}

// HostFunctions is the list of the host functions that are registered for a
// sandbox.
type HostFunctions struct {
	// Functions are at most MaxFunctions, each of another name.
	Functions []Function
}

// Length returns how long a message says that it is, of which msg is at least the
// first four bytes.
//
// Guest-controlled: the bytes.
func Length(msg []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(msg[sizePosition:])) + rootPosition
}
