package elf

import (
	"errors"
	"fmt"
)

// Defaults for the fields of Limits that are zero.
const (
	// DefaultMaxFile is the default of Limits.MaxFile: 1 GiB.
	DefaultMaxFile = 1 << 30
	// DefaultMaxMemory is the default of Limits.MaxMemory: 1 GiB.
	DefaultMaxMemory = 1 << 30
	// DefaultMaxSegments is the default of Limits.MaxSegments. Linkers write about
	// ten program headers.
	DefaultMaxSegments = 64
	// DefaultUserStart is the default of Limits.UserStart: like Linux, it leaves
	// the lowest 64 KiB unmapped, so that a nil pointer with an offset faults.
	DefaultUserStart = 0x10000
	// DefaultPIEBase is the default of Limits.PIEBase: where linkers place programs
	// that are not position-independent.
	DefaultPIEBase = 0x400000
)

// lowerHalfEnd is the end of the addresses that a program may use with
// four-level page tables. It is far enough from 1<<64 that no sum of checked
// addresses, page-rounded, can wrap.
const lowerHalfEnd = 1 << 47

// ErrLimits means that the Limits given to Parse contradict themselves. It is a
// mistake of the caller, not of the file.
var ErrLimits = errors.New("elf: invalid limits")

// Limits says what a guest file may ask for. A field left zero has a default,
// except UserEnd, which depends on the memory layout of the machine.
type Limits struct {
	// MaxFile is the greatest length of the file in bytes. Zero means
	// DefaultMaxFile.
	MaxFile int64
	// MaxSegments is the greatest number of program headers. Zero means
	// DefaultMaxSegments.
	MaxSegments int
	// MaxMemory is the greatest sum of the segments' sizes in memory, each rounded
	// to whole pages. Zero means DefaultMaxMemory.
	MaxMemory uint64
	// UserStart is the lowest address that a segment's pages may have. Zero means
	// DefaultUserStart.
	UserStart uint64
	// UserEnd is the exclusive end of the addresses that a segment's pages may
	// have. It must be given, and at most 1<<47.
	UserEnd uint64
	// PIEBase is what is added to the addresses of a position-independent
	// executable. It must be a multiple of PageSize between UserStart and UserEnd.
	// Zero means DefaultPIEBase.
	PIEBase uint64
}

// withDefaults returns the limits with the zero fields filled in, or an error
// if they make no sense.
func (l Limits) withDefaults() (Limits, error) {
	l.MaxFile = orDefault(l.MaxFile, DefaultMaxFile)
	l.MaxSegments = orDefault(l.MaxSegments, DefaultMaxSegments)
	l.MaxMemory = orDefault(l.MaxMemory, DefaultMaxMemory)
	l.UserStart = orDefault(l.UserStart, DefaultUserStart)
	l.PIEBase = orDefault(l.PIEBase, DefaultPIEBase)
	switch {
	case l.MaxFile < 0:
		return l, fmt.Errorf("%w: MaxFile is negative (%d)", ErrLimits, l.MaxFile)
	case l.MaxSegments < 0:
		return l, fmt.Errorf("%w: MaxSegments is negative (%d)", ErrLimits, l.MaxSegments)
	case l.UserEnd == 0:
		return l, fmt.Errorf("%w: UserEnd is not set", ErrLimits)
	case l.UserEnd > lowerHalfEnd:
		return l, fmt.Errorf("%w: UserEnd %#x is above %#x", ErrLimits, l.UserEnd, uint64(lowerHalfEnd))
	case l.UserStart >= l.UserEnd:
		return l, fmt.Errorf("%w: UserStart %#x is not below UserEnd %#x", ErrLimits, l.UserStart, l.UserEnd)
	case l.PIEBase%PageSize != 0:
		return l, fmt.Errorf("%w: PIEBase %#x is not a multiple of %#x", ErrLimits, l.PIEBase, PageSize)
	case l.PIEBase < l.UserStart || l.PIEBase >= l.UserEnd:
		return l, fmt.Errorf("%w: PIEBase %#x is outside %#x-%#x", ErrLimits, l.PIEBase, l.UserStart, l.UserEnd)
	}
	return l, nil
}

// orDefault returns v, or def if v is zero.
func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
