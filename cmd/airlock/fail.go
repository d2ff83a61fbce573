package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall" //nolint:depguard // SIGTERM has no other name, and no system call is made
	"unicode"

	"github.com/airlockvm/airlock"
)

// Exit codes of airlock itself. A guest that "airlock run" ran to its end has
// its own.
const (
	exitGuest  = 1   // a function that "airlock call" called returned an error
	exitUsage  = 2   // the command line is wrong
	exitFailed = 3   // refused, stopped, timed out, or no hypervisor
	exitSignal = 128 // plus the signal that ended airlock, as in shells
)

// guestExit is the exit code of a guest, for airlock to end with. There is
// nothing to say about it.
type guestExit int

// Error exists to make an error of it.
func (e guestExit) Error() string { return fmt.Sprintf("the guest ended with code %d", int(e)) }

// usageError is a mistake in the command line.
type usageError struct{ text string }

// Error says what is wrong.
func (e usageError) Error() string { return e.text }

// failure is an error in the words in which the user will read it.
type failure struct {
	text  string
	cause error // or nil
}

// Error returns the words.
func (e failure) Error() string { return e.text }

// Unwrap returns the cause.
func (e failure) Unwrap() error { return e.cause }

func failf(format string, args ...any) error { return failure{text: fmt.Sprintf(format, args...)} }

// report prints the error that the command ended with, one line of it, and
// returns the exit code that it means.
func report(w io.Writer, command string, err error) int {
	var guest guestExit
	var usage usageError
	var stopped interrupted
	var returned *airlock.GuestError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &guest):
		return int(guest)
	case errors.As(err, &usage), errors.Is(err, airlock.ErrOptions):
		printError(w, fmt.Sprintf("%s (see '%s --help')", plain(err), command))
		return exitUsage
	case errors.As(err, &returned):
		printError(w, plain(err))
		return exitGuest
	case errors.As(err, &stopped):
		printError(w, stopped.Error())
		return exitSignal + stopped.number()
	case errors.Is(err, airlock.ErrNoHypervisor):
		printError(w, plain(err)+"; 'airlock doctor' says more")
		return exitFailed
	}
	printError(w, plain(err))
	return exitFailed
}

func printError(w io.Writer, text string) { _, _ = fmt.Fprintln(w, "airlock: "+oneLine(text)) }

// plain returns the text of an error without the prefix of the library, which
// is the name of this command too.
func plain(err error) string { return strings.TrimPrefix(err.Error(), "airlock: ") }

// oneLine makes a text safe for a terminal: whatever would end the line or
// control the terminal becomes visible.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return r == '\n' }), "; ")
	var b strings.Builder
	for _, r := range text {
		if unicode.IsPrint(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRune(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

// terminate is the signal by which init and supervisors end a program.
const terminate = syscall.SIGTERM

// clip makes a text of a guest's short and printable.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "..."
	}
	return oneLine(text)
}

// interrupted is the cause of a context that a signal to airlock has ended.
type interrupted struct{ signal os.Signal }

// Error names the signal.
func (i interrupted) Error() string {
	if i.signal == os.Interrupt {
		return "interrupted"
	}
	return i.signal.String()
}

func (i interrupted) number() int {
	if s, ok := i.signal.(syscall.Signal); ok {
		return int(s)
	}
	return 0
}

// withInterrupts returns a context that SIGINT or SIGTERM ends, with the cause
// interrupted. A second signal does what it does to any program: it kills. A
// signal that is ignored, as by a shell's background job, stays so.
func withInterrupts(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, terminate} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			cancel(interrupted{s})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}
