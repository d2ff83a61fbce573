// Package strace prints a guest's system calls, a line each, in the manner of
// the strace tool.
package strace

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/airlockvm/airlock/internal/abi"
)

//go:generate go run gen.go

// Printer prints records to a writer. It is not safe for concurrent use. The
// methods of a nil Printer do nothing.
type Printer struct {
	w       io.Writer
	unknown map[uint32]int // calls that the guest kernel does not have
}

// NewPrinter returns a Printer. Errors of w are ignored: a trace that can't be
// written must not change what the guest does.
func NewPrinter(w io.Writer) *Printer {
	return &Printer{w: w, unknown: map[uint32]int{}}
}

// maxUnknown is how many different unknown calls are counted.
const maxUnknown = 1024

// Print prints one record.
//
// Guest-controlled: all of r.
func (p *Printer) Print(r *abi.TraceRecord) {
	if p == nil {
		return
	}
	switch abi.TraceKind(r.Kind) {
	case abi.TraceCall, abi.TraceNoreturn:
	case abi.TraceUnknown:
		if _, ok := p.unknown[r.Number]; ok || len(p.unknown) < maxUnknown {
			p.unknown[r.Number]++
		}
	case abi.TraceSignal:
		_, _ = fmt.Fprintf(p.w, "[%d] --- signal %d, address %#x ---\n", r.Thread, r.Number, r.Args[0])
		return
	case abi.TraceInvalid:
		fallthrough
	default:
		_, _ = fmt.Fprintf(p.w, "[%d] invalid trace record %d\n", r.Thread, r.Kind)
		return
	}
	_, _ = fmt.Fprintf(p.w, "[%d] %s\n", r.Thread, call(r))
}

// Summary prints which calls the guest kernel does not have, if there were any.
func (p *Printer) Summary() {
	if p == nil || len(p.unknown) == 0 {
		return
	}
	var b strings.Builder
	for i, number := range slices.Sorted(maps.Keys(p.unknown)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s (%d times)", callName(number), p.unknown[number])
	}
	_, _ = fmt.Fprintf(p.w, "system calls that the guest kernel does not have: %s\n", &b)
}

// call renders a system call: name(arguments) = result <seconds>.
func call(r *abi.TraceRecord) string {
	var b strings.Builder
	b.WriteString(callName(r.Number))
	b.WriteByte('(')
	spec, ok := specs[callName(r.Number)]
	if !ok {
		spec = "xxxxxx"
	}
	for i := range min(len(spec), len(r.Args)) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(argument(spec[i], r.Args[i], r))
	}
	b.WriteString(") = ")
	if abi.TraceKind(r.Kind) == abi.TraceNoreturn {
		b.WriteByte('?')
		return b.String()
	}
	b.WriteString(result(r))
	fmt.Fprintf(&b, " <%d.%06d>", r.Duration/1e9, r.Duration%1e9/1e3)
	return b.String()
}

// argument renders one argument as its letter in specs says.
func argument(kind byte, value uint64, r *abi.TraceRecord) string {
	switch kind {
	case 'd':
		return strconv.Itoa(int(int32(value))) //nolint:gosec // G115: the call takes an int
	case 'u':
		return strconv.FormatUint(value, 10)
	case 's', 'b':
		if length := min(int(r.TextLength), len(r.Text)); length > 0 {
			text := strconv.QuoteToASCII(string(r.Text[:length]))
			if length == len(r.Text) {
				text += "..."
			}
			return text
		}
	case 'f':
		if int32(value) == -100 { //nolint:gosec // G115: the call takes an int
			return "AT_FDCWD"
		}
		return strconv.Itoa(int(int32(value))) //nolint:gosec // G115: the call takes an int
	}
	if value == 0 {
		return "NULL"
	}
	return "0x" + strconv.FormatUint(value, 16)
}

func result(r *abi.TraceRecord) string {
	if r.Result < 0 && r.Result > -4096 {
		number := int(-r.Result)
		if number < len(errorNames) && errorNames[number] != "" {
			return "-1 " + errorNames[number]
		}
		return "-1 errno " + strconv.Itoa(number)
	}
	if r.Result < 0 || r.Result >= 1<<32 {
		return "0x" + strconv.FormatUint(uint64(r.Result), 16) //nolint:gosec // G115: an address
	}
	return strconv.FormatInt(r.Result, 10)
}

func callName(number uint32) string {
	if number < uint32(len(callNames)) && callNames[number] != "" {
		return callNames[number]
	}
	if number == abi.Syscall {
		return "airlock" // the one that Linux doesn't have
	}
	return "syscall_" + strconv.FormatUint(uint64(number), 10)
}
