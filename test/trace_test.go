package test

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
)

// traceLine is what every line of a trace of a program without signals looks
// like: a thread and a call, or the summary.
var traceLine = regexp.MustCompile(`^(\[[0-9]+\] [a-z_0-9]+\(.*\) = (\?|.* <[0-9]+\.[0-9]{6}>)|system calls that the guest kernel does not have: .*)$`)

const traceSummary = "system calls that the guest kernel does not have: "

// traced runs a program with a trace, which it returns.
func traced(t *testing.T, g *airlock.Guest, args ...string) (outcome, string) {
	t.Helper()
	trace := newOutput()
	result := run(t, program{
		guest: g, options: airlock.Options{Trace: trace}, process: airlock.Process{Args: args}, deadline: hang,
	})
	for line := range strings.Lines(trace.String()) {
		if !strings.Contains(line, "--- signal") && !traceLine.MatchString(strings.TrimSuffix(line, "\n")) {
			t.Errorf("a strange line: %q", line)
		}
	}
	return result, trace.String()
}

func TestTrace(t *testing.T) {
	t.Parallel()
	result, trace := traced(t, guest(t, "c-glibc-hello"))
	if result.code != 0 || result.err != nil || result.stdout.String() != "Hello, World!\n" {
		result.report(t)
		t.Error("the trace changes what the program does")
	}
	for _, want := range []string{
		`(?m)^\[[0-9]+\] brk\(NULL\) = [0-9a-fx]+ <0\.[0-9]{6}>$`,
		`(?m)^\[[0-9]+\] write\(1, "Hello, World!\\n", 14\) = 14 <0\.[0-9]{6}>$`,
		`\n\[[0-9]+\] exit_group\(0\) = \?\n$`,
	} {
		if !regexp.MustCompile(want).MatchString(trace) {
			t.Errorf("no match for %s in:\n%s", want, trace)
		}
	}
	if strings.Contains(trace, traceSummary) {
		t.Errorf("hello makes unknown system calls:\n%s", trace)
	}
}

// TestTraceUnknown counts system calls that do not exist.
func TestTraceUnknown(t *testing.T) {
	t.Parallel()
	result, trace := traced(t, probe(t), "unknown")
	if result.code != 0 || result.err != nil {
		result.report(t)
		t.Errorf("code %d, error %v", result.code, result.err)
	}
	if got := strings.Count(trace, " syscall_1999(0x1, 0x2, 0x3, "); got != 3 {
		t.Errorf("the call is there %d times, want 3:\n%s", got, trace)
	}
	if want := traceSummary + "syscall_1999 (3 times), syscall_2000 (1 times)\n"; !strings.HasSuffix(trace, want) {
		t.Errorf("the trace does not end with %q:\n%s", want, trace)
	}
}

// TestTraceCancelled cancels a program that is traced: what it did until then is
// in the trace.
func TestTraceCancelled(t *testing.T) {
	t.Parallel()
	trace := newOutput()
	sandbox := create(t, probe(t), airlock.Options{Trace: trace})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := start(ctx, sandbox, airlock.Process{Args: []string{"unknown+"}})
	r.awaitOutput(t)
	cancel()
	if err := r.await(t); !errors.Is(err, context.Canceled) {
		t.Errorf("code %d, error %v", r.code, err)
	}
	if got := trace.String(); !strings.Contains(got, `write(1, "spinning\n", 9) = 9`) ||
		!strings.HasSuffix(got, traceSummary+"syscall_1999 (3 times), syscall_2000 (1 times)\n") {
		t.Errorf("the trace is not complete:\n%s", got)
	}
	checkAfterRun(t, sandbox, true)
}

// TestTraceFault traces a program that faults.
func TestTraceFault(t *testing.T) {
	t.Parallel()
	result, trace := traced(t, guest(t, "hostile-null_write"))
	var fault *airlock.GuestFault
	if !errors.As(result.err, &fault) || fault.Kind != airlock.FaultPage {
		t.Errorf("error %v", result.err)
	}
	if !strings.Contains(trace, "] brk(NULL) = ") {
		t.Errorf("the calls before the fault are missing: %q", trace)
	}
}

// TestTraceFailingWriter traces to a writer that fails: the program must not
// notice.
func TestTraceFailingWriter(t *testing.T) {
	t.Parallel()
	result := run(t, program{
		guest: guest(t, "c-glibc-hello"), options: airlock.Options{Trace: &failingWriter{left: 10}}, deadline: hang,
	})
	if result.code != 0 || result.err != nil || result.stdout.String() != "Hello, World!\n" {
		result.report(t)
		t.Errorf("code %d, error %v", result.code, result.err)
	}
}
