package test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/airlockvm/airlock"
)

// expectation is how a program, or a call of it, should end: the words of a
// "want" line.
type expectation struct {
	what   string // the first word
	detail string // the others
}

var wantedFaults = map[string]airlock.FaultKind{
	"page-fault":         airlock.FaultPage,
	"divide":             airlock.FaultDivide,
	"invalid-opcode":     airlock.FaultOpcode,
	"general-protection": airlock.FaultProtection,
	"breakpoint":         airlock.FaultBreakpoint,
	"debug":              airlock.FaultDebug,
	"float":              airlock.FaultFloat,
	"alignment":          airlock.FaultAlignment,
}

var wantedAccesses = map[string]airlock.Access{
	"":      airlock.AccessNone, // any
	"read":  airlock.AccessRead,
	"write": airlock.AccessWrite,
	"exec":  airlock.AccessExec,
}

// The signals that guests die of, by their numbers on Linux.
var wantedSignals = map[string]int{
	"SIGQUIT": 3, "SIGILL": 4, "SIGTRAP": 5, "SIGABRT": 6, "SIGBUS": 7, "SIGFPE": 8, "SIGKILL": 9, "SIGUSR1": 10,
	"SIGSEGV": 11, "SIGUSR2": 12, "SIGPIPE": 13, "SIGALRM": 14, "SIGTERM": 15, "SIGSYS": 31,
}

// parseWant checks the words of a "want" line.
func parseWant(s string) (expectation, error) {
	what, detail, _ := strings.Cut(s, " ")
	ok := false
	switch what {
	case "exit":
		n, err := strconv.Atoi(detail)
		ok = err == nil && n >= 0 && n < 256
	case "signal":
		_, ok = wantedSignals[detail]
	case "fault":
		kind, access, _ := strings.Cut(detail, " ")
		_, ok1 := wantedFaults[kind]
		_, ok2 := wantedAccesses[access]
		ok = ok1 && ok2
	case "timeout", "out-of-memory", "bad-hypercall", "any", "protocol", "guest-fault", "guest-error", "abort":
		ok = detail == ""
	case "result":
		ok = true
	}
	if !ok {
		return expectation{}, fmt.Errorf("unknown end of a program: %q", s)
	}
	return expectation{what, detail}, nil
}

// check returns an error unless a program ended as it should.
func (e expectation) check(code int, err error) error {
	if e.what == "exit" {
		if got := strconv.Itoa(code); err != nil || got != e.detail {
			return fmt.Errorf("code %s, error %w; want code %s", got, orNone(err), e.detail)
		}
		return nil
	}
	if e.what == "any" {
		return nil // run has checked that it is one of the documented ends
	}
	if err == nil {
		return fmt.Errorf("code %d; want %s", code, e)
	}
	if !e.matches(err) {
		return fmt.Errorf("error %w; want %s", err, e)
	}
	return nil
}

// matches compares an error with what is wanted.
func (e expectation) matches(err error) bool {
	var fault *airlock.GuestFault
	isFault := errors.As(err, &fault)
	switch e.what {
	case "signal":
		// A breakpoint counts as the signal that it is to a debugger.
		return isFault && (fault.Kind == airlock.FaultSignal || fault.Kind == airlock.FaultBreakpoint) &&
			fault.Signal == wantedSignals[e.detail]
	case "fault":
		kind, access, _ := strings.Cut(e.detail, " ")
		return isFault && fault.Kind == wantedFaults[kind] && (access == "" || fault.Access == wantedAccesses[access])
	case "timeout":
		return errors.Is(err, context.DeadlineExceeded)
	case "out-of-memory":
		return errors.Is(err, airlock.ErrOutOfMemory)
	case "bad-hypercall":
		return isFault && fault.Kind == airlock.FaultPort
	case "guest-fault":
		return isFault
	case "protocol":
		return errors.Is(err, airlock.ErrProtocol)
	}
	return false
}

// String is the line that was parsed.
func (e expectation) String() string { return strings.TrimSpace(e.what + " " + e.detail) }

// errNone stands for no error in messages.
var errNone = errors.New("none")

func orNone(err error) error {
	if err == nil {
		return errNone
	}
	return err
}

// documented returns an error unless the result of a run is one that the
// documentation of [airlock.Sandbox.Run] has.
func documented(code int, err error) error {
	if err == nil {
		if code < 0 || code > 255 {
			return fmt.Errorf("code %d is not from 0 to 255", code)
		}
		return nil
	}
	if code != -1 {
		return fmt.Errorf("code %d with error %w; want code -1", code, err)
	}
	var fault *airlock.GuestFault
	switch {
	case errors.As(err, &fault):
		if fault.Kind <= airlock.FaultInvalid || fault.Kind > airlock.FaultHypervisor {
			return fmt.Errorf("%w: its kind is %d", err, fault.Kind)
		}
		return nil
	case errors.Is(err, airlock.ErrProtocol), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return nil
	}
	return fmt.Errorf("an error without a documented type: %w (%T)", err, err)
}
