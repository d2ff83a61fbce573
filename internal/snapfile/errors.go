package snapfile

import (
	"errors"
	"fmt"

	"github.com/airlockvm/airlock/internal/ocilayout"
)

// ErrIncompatible means that a snapshot is in order but not for this machine or
// this version of the library.
var ErrIncompatible = errors.New("airlock: snapshot does not fit here")

// incompatible makes an ErrIncompatible that says what differs.
func incompatible(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrIncompatible}, args...)...)
}

// malformed makes the error of a config. Where is a field of it, or empty.
func malformed(where, format string, args ...any) error {
	return &ocilayout.FormatError{Path: "config", Field: where, Reason: fmt.Sprintf(format, args...)}
}
