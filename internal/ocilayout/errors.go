package ocilayout

import (
	"errors"
	"fmt"
	"strings"
)

// ErrFormat means that what was read is not what it should be.
var ErrFormat = errors.New("airlock: malformed snapshot")

// ErrNoTag means that a layout has no such tag.
var ErrNoTag = errors.New("airlock: no such tag")

// FormatError says what is wrong with a layout, and where. It is an [ErrFormat].
type FormatError struct {
	// Path is the file, or "config" for one whose place isn't known.
	Path string
	// Field is where in the file, or empty.
	Field string
	// Reason is what is wrong, in words, and what to do where that is known.
	Reason string
}

// Error says what is wrong, where.
func (e *FormatError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v: %s: ", ErrFormat, e.Path)
	if e.Field != "" {
		fmt.Fprintf(&b, "%s: ", e.Field)
	}
	b.WriteString(e.Reason)
	return b.String()
}

// Is makes the error equal to [ErrFormat].
func (e *FormatError) Is(target error) bool { return target == ErrFormat }

func (l *Layout) malformed(name, format string, args ...any) error {
	return &FormatError{Path: l.path(name), Reason: fmt.Sprintf(format, args...)}
}
