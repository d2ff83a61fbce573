package wire

import (
	"errors"
	"strconv"
)

// Groups of reasons, for errors.Is.
var (
	// ErrMalformed matches every error of a Decode function: the peer sent
	// something that the schema doesn't allow, and nothing of it may be used.
	ErrMalformed = errors.New("wire: malformed message")
	// ErrInvalid matches every error of an Append or Put function: the caller asked
	// for a message that the schema doesn't allow, or that has no room.
	ErrInvalid = errors.New("wire: invalid message")
	// ErrTooLarge matches the errors, of both, that are about a limit: too many
	// bytes in a text, too many items, too long a message.
	ErrTooLarge = errors.New("wire: too large")
)

// Reason is what is wrong with a message. Each Reason is an error, so that
// errors.Is(err, wire.ErrUTF8) works on every error of this package.
type Reason uint8

// The reasons for which messages are refused.
const (
	// reasonInvalid is zero, so that a forgotten Reason can't pass for a real one.
	reasonInvalid Reason = iota

	// ErrTruncated means that there are too few bytes for any message.
	ErrTruncated
	// ErrSize means that the size prefix is not the number of bytes behind it.
	ErrSize
	// ErrIdentifier means that it is a message of another kind.
	ErrIdentifier
	// ErrBounds means that something lies outside the message.
	ErrBounds
	// ErrAlignment means that something doesn't lie on a multiple of its size.
	ErrAlignment
	// ErrVTable means that the description of a table makes no sense.
	ErrVTable
	// ErrField means that a field lies where its table says where the vtable is.
	ErrField
	// ErrUnknownField means that a table has more fields than the schema.
	ErrUnknownField
	// ErrMissing means that a required field is missing.
	ErrMissing
	// ErrUnion means that a union has a type and no value, or the reverse.
	ErrUnion
	// ErrRange means that a type, code, level, kind or bool is not one that the
	// schema has at this place.
	ErrRange
	// ErrTerminator means that no NUL follows a text.
	ErrTerminator
	// ErrUTF8 means that a text is not valid UTF-8.
	ErrUTF8
	// ErrName means that a name is empty or has a NUL character.
	ErrName
	// ErrDuplicate means that a list has two functions of one name.
	ErrDuplicate
	// ErrDepth means that tables are nested too deep.
	ErrDepth
	// ErrTables means that there are too many tables.
	ErrTables
	// ErrShared means that parts of the message are used more than once, so that it
	// would unfold to more than its length.
	ErrShared
	// ErrLength means that a text is longer than its limit.
	ErrLength
	// ErrCount means that a list has more items than its limit.
	ErrCount
	// ErrMessageSize means that a message is longer than the format allows, or
	// doesn't fit into the buffer.
	ErrMessageSize
	// ErrVerifier means that a message was verified and then could not be read: a
	// bug of this package.
	ErrVerifier
)

const reasonCount = int(ErrVerifier) + 1

var reasonText = [reasonCount]string{
	reasonInvalid:   "unknown reason",
	ErrTruncated:    "too few bytes for a message",
	ErrSize:         "size prefix is not the length of the message",
	ErrIdentifier:   "message of another kind",
	ErrBounds:       "outside the message",
	ErrAlignment:    "misaligned",
	ErrVTable:       "bad vtable",
	ErrField:        "field in the head of its table",
	ErrUnknownField: "more fields than the schema has",
	ErrMissing:      "required field is missing",
	ErrUnion:        "type and value of a union contradict each other",
	ErrRange:        "not a value that the schema has here",
	ErrTerminator:   "text without a NUL behind it",
	ErrUTF8:         "not valid UTF-8",
	ErrName:         "name is empty or has a NUL character",
	ErrDuplicate:    "name occurs twice",
	ErrDepth:        "nested too deep",
	ErrTables:       "too many tables",
	ErrShared:       "parts of the message are used more than once",
	ErrLength:       "text too long",
	ErrCount:        "too many items",
	ErrMessageSize:  "message too long",
	ErrVerifier:     "verified message can't be read: a bug of this package",
}

// Error returns a short text for the reason, without the details of one message.
func (r Reason) Error() string {
	if int(r) >= reasonCount {
		r = reasonInvalid
	}
	return "wire: " + reasonText[r]
}

// isLimit reports whether the reason belongs to ErrTooLarge.
func (r Reason) isLimit() bool { return r == ErrLength || r == ErrCount || r == ErrMessageSize }

// NoOffset is the Offset of an Error that is about a message to be sent.
const NoOffset = -1

// Error says why a message was refused or not written. It satisfies errors.Is
// for its Reason and for the groups that it belongs to. Nothing of what the
// message says is in it, so that it can be logged as it is.
type Error struct {
	// Reason is the kind of defect.
	Reason Reason
	// Path is the field that it is about, in words of the schema, such as
	// "function_call.parameters[2].value".
	Path string
	// Offset is where it was noticed, in bytes from the start of the message, or
	// NoOffset.
	Offset int
	// Got is the offending number, if the Reason is about one.
	Got uint64
	// Limit is the largest number that would do, if the Reason is about one.
	Limit uint64
}

// Error says what is wrong and where.
func (e *Error) Error() string {
	text := e.Reason.Error()
	if e.Path != "" {
		text = "wire: " + e.Path + ": " + text[len("wire: "):]
	}
	if e.Got != 0 || e.Limit != 0 {
		text += ": " + strconv.FormatUint(e.Got, 10) + ", limit " + strconv.FormatUint(e.Limit, 10)
	}
	if e.Offset != NoOffset {
		text += " (at byte " + strconv.Itoa(e.Offset) + ")"
	}
	return text
}

// Unwrap returns the Reason.
func (e *Error) Unwrap() error { return e.Reason }

// Is reports whether the error belongs to one of the groups.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrMalformed:
		return e.Offset != NoOffset
	case ErrInvalid:
		return e.Offset == NoOffset
	case ErrTooLarge:
		return e.Reason.isLimit()
	}
	return false
}

// refuse makes the error for a defect at a position in a message.
func refuse(r Reason, pos uint64) *Error {
	return &Error{Reason: r, Offset: int(pos)} //nolint:gosec // G115: a position in a message
}

// refuseNumber is refuse for a defect that is about a number.
func refuseNumber(r Reason, pos, got, limit uint64) *Error {
	e := refuse(r, pos)
	e.Got, e.Limit = got, limit
	return e
}

// in puts the name of what contains the field before its path. Paths grow while
// an error travels up, so that a good message pays nothing for them.
func (e *Error) in(name string) *Error {
	switch {
	case e.Path == "" || e.Path[0] == '[':
		e.Path = name + e.Path
	default:
		e.Path = name + "." + e.Path
	}
	return e
}

// at is in for item i of a list.
func (e *Error) at(i int) *Error { return e.in("[" + strconv.Itoa(i) + "]") }
