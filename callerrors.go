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
type GuestErrorCode = wire.ErrorCode

// GuestAbortError means that the guest ended itself with its SDK's Abort. The
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
	return "the host function failed"
}

// signature writes a function as "name(string, int32) bool", the name quoted if
// it is not plain.
func signature(f wire.Function) string {
	var b strings.Builder
	b.WriteString(quoteName(f.Name))
	b.WriteByte('(')
	for i, kind := range f.Params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(kind.String())
	}
	b.WriteByte(')')
	if f.Return != wire.KindVoid {
		b.WriteByte(' ')
		b.WriteString(f.Return.String())
	}
	return b.String()
}

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
