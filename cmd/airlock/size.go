package main

import (
	"errors"
	"fmt"

	"github.com/airlockvm/airlock"
	"github.com/docker/go-units"
)

// memorySize is a flag's value: an amount of memory, such as 64MiB. It
// implements pflag.Value.
type memorySize int64

var errSize = errors.New("a size is a number with a unit, such as 64MiB or 1GiB")

// Set parses a size. All units are powers of 1024: M, MB and MiB are the same.
func (s *memorySize) Set(text string) error {
	n, err := units.RAMInBytes(text)
	switch {
	case err != nil:
		return errSize
	case n == 0:
		return errors.New("a guest needs memory")
	case n < 0 || n > airlock.MaxMemory: // a number that is too large for 64 bits came out negative
		return fmt.Errorf("the most is %s", formatSize(airlock.MaxMemory))
	}
	*s = memorySize(n)
	return nil
}

// String returns the size with its unit.
func (s *memorySize) String() string { return formatSize(*s) }

// Type is what help texts call the value.
func (s *memorySize) Type() string { return "SIZE" }

// formatSize returns a number of bytes with a unit, rounded to four digits.
func formatSize[T ~int | ~int64 | ~uint64](n T) string { return units.BytesSize(float64(n)) }
