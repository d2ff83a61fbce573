package airlock

import (
	"errors"
	"fmt"
	"strings"

	"github.com/airlockvm/airlock/internal/wire"
)

// Errors of calls that callers tell apart with [errors.Is].
var (
	// ErrNotServing means that the guest's program ended, or went on without end,
	// instead of waiting for calls: it was not written with a guest SDK, or did not
	// get to Serve.
	ErrNotServing = errors.New("airlock: guest does not serve calls")
	// ErrUnknownFunction means that the guest exports no function of that name.
	ErrUnknownFunction = errors.New("airlock: guest has no such function")
	// ErrArguments means that number or types of the arguments, or the type of the
	// result, are not those that the guest has declared.
	ErrArguments = errors.New("airlock: arguments do not fit the function")
	// ErrTooLarge means that a message doesn't fit its buffer. Options.MessageSize
	// gives more.
	ErrTooLarge = errors.New("airlock: message too large")
)

// GuestError is the error that a guest function returned. The sandbox stays
// usable.
type GuestError struct {
	// Code says what kind of error it is.
	Code GuestErrorCode
	// Message is what the guest wrote: text from someone who is not trusted, at
	// most 4 KiB of valid UTF-8.
	Message string
}

// Error has the message in quotes.
func (e *GuestError) Error() string {
	return fmt.Sprintf("airlock: guest error: %s: %q", e.Code, e.Message)
}

// GuestErrorCode is a kind of guest error.
type GuestErrorCode uint8

// The kinds of guest errors.
const (
	// CodeFailed: the function returned an error.
	CodeFailed = GuestErrorCode(wire.CodeFailed)
	// CodeUnknownFunction: the guest no longer has the function that it declared.
	CodeUnknownFunction = GuestErrorCode(wire.CodeUnknownFunction)
	// CodeWrongParameters: the guest's function has other parameters than it declared.
	CodeWrongParameters = GuestErrorCode(wire.CodeWrongParameters)
	// CodePanicked: the function panicked.
	CodePanicked = GuestErrorCode(wire.CodePanicked)
	// CodeTooLarge: the result does not fit the message buffer.
	CodeTooLarge = GuestErrorCode(wire.CodeTooLarge)
	// CodeMalformed: the guest did not understand the message.
	CodeMalformed = GuestErrorCode(wire.CodeMalformed)
	// CodeAborted: the guest ended itself.
	CodeAborted = GuestErrorCode(wire.CodeAborted)
)

// String returns a word or two in English.
func (c GuestErrorCode) String() string { return wire.ErrorCode(c).String() }

// GuestAbortError means that the guest ended itself with its SDK's Abort
// ([CodeAborted]), or that its SDK did because a function panicked or misused it
// ([CodePanicked]): a guest in Go has then written the stack to its stderr. The
// sandbox is poisoned.
type GuestAbortError GuestError

// Error has the message in quotes.
func (e *GuestAbortError) Error() string {
	return fmt.Sprintf("airlock: guest aborted: %s: %q", e.Code, e.Message)
}

// GuestExitError means that the guest's program ended in the middle of a call.
// The sandbox is poisoned.
type GuestExitError struct {
	// Code is the program's exit code, 0 to 255.
	Code int
}

// Error names the code.
func (e *GuestExitError) Error() string {
	return fmt.Sprintf("airlock: guest program ended with code %d during a call", e.Code)
}

// publicText is what a guest may know of an error of the host.
func publicText(err error) string {
	if visible, ok := errors.AsType[visibleError](err); ok {
		return visible.Error()
	}
	return hiddenFailure
}

// hiddenFailure is all that a guest may know of most errors.
const hiddenFailure = "the host function failed"

func quoteName(name string) string {
	quoted := fmt.Sprintf("%q", name)
	if quoted == `"`+name+`"` && !strings.ContainsAny(name, ` ,()"`) {
		return name
	}
	return quoted
}

// joinNames joins names for an error message and cuts a long list.
func joinNames(names []string) string {
	const most = 8
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
