package main

import (
	"context"
	"errors"
	"io"
	"os"
	"unicode"
	"unicode/utf8"

	"github.com/airlockvm/airlock"
	"golang.org/x/term"

	"github.com/airlockvm/airlock/cmd/airlock/internal/values"
)

// isTerminal reports whether a person reads what is written to w.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// printResult prints what a function has returned: bytes as they are, everything
// else with a newline, and nil not at all.
//
// Guest-controlled: the result.
func printResult(w io.Writer, result any) error {
	text := values.Format(result)
	if isTerminal(w) && !harmless(text) {
		return usageError{"the result is no text for a terminal: redirect stdout, or use --json"}
	}
	switch result.(type) {
	case nil:
		return nil
	case []byte:
	default:
		text += "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

// harmless reports whether a text can't control a terminal.
func harmless(text string) bool {
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
	}
	return utf8.ValidString(text)
}

// printOutcome prints a result, or the error that there is instead, as one line
// of JSON.
//
// Guest-controlled: the result, and parts of the error.
func printOutcome(w io.Writer, result any, err error) error {
	if err == nil {
		return writeJSON(w, struct {
			Result any `json:"result"`
		}{values.ToJSON(result)}, "")
	}
	return writeJSON(w, struct {
		Error callError `json:"error"`
	}{newCallError(err)}, "")
}

// callError is the form of an error as JSON.
type callError struct {
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// newCallError says what kind of error it is: whose fault.
func newCallError(err error) callError {
	var (
		returned *airlock.GuestError
		aborted  *airlock.GuestAbortError
		fault    *airlock.GuestFault
		e        = callError{Kind: "failed", Message: oneLine(plain(err))}
	)
	switch {
	case errors.As(err, &returned):
		return callError{"guest", returned.Code.String(), returned.Message}
	case errors.As(err, new(usageError)), errors.Is(err, airlock.ErrOptions):
		e.Kind = "usage"
	case errors.As(err, new(interrupted)):
		e.Kind = "interrupted"
	case errors.Is(err, context.DeadlineExceeded):
		e.Kind = "timeout"
	case errors.As(err, new(*airlock.GuestFormatError)), errors.Is(err, airlock.ErrNotServing),
		errors.Is(err, airlock.ErrSnapshotFormat), errors.Is(err, airlock.ErrSnapshotIncompatible), errors.Is(err, airlock.ErrSnapshotTag):
		e.Kind = "refused"
	case errors.As(err, &fault):
		e.Kind, e.Code = "fault", fault.Kind.String()
	case errors.As(err, &aborted):
		e.Kind, e.Code = "fault", aborted.Code.String()
	case errors.As(err, new(*airlock.GuestExitError)):
		e.Kind, e.Code = "fault", "exited"
	case errors.Is(err, airlock.ErrProtocol):
		e.Kind, e.Code = "fault", "protocol"
	}
	return e
}
