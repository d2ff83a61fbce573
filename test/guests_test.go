package test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// TestGuests runs every guest of guests/, in every form in which it is built,
// and checks that it ends as its first comment says.
func TestGuests(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	list, err := builtGuests()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range list {
		for i, args := range b.header.args {
			name := b.name
			if len(b.header.args) > 1 {
				name = fmt.Sprintf("%s/%d:%s", name, i, strings.Join(args, "_"))
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if b.missing != "" {
					t.Skip(b.missing)
				}
				if b.header.call == "" {
					testGuest(t, b, b.header.want, args, b.header.want.deadline())
					return
				}
				testCall(t, b, strings.Join(args, " "))
				if b.header.run.what != "" {
					testGuest(t, b, b.header.run, args, b.header.run.callDeadline())
				}
			})
		}
	}
}

// testGuest runs a program once.
func testGuest(t *testing.T, b binary, want expectation, args []string, deadline time.Duration) {
	t.Helper()
	guest, err := airlock.LoadGuest(b.path)
	if err != nil {
		t.Fatal(err)
	}
	h := b.header
	result := run(t, program{
		guest:    guest,
		options:  airlock.Options{Memory: h.memory, AllowJIT: h.jit},
		process:  airlock.Process{Args: args, Env: h.env, Stdin: strings.NewReader(h.stdin)},
		deadline: deadline,
	})
	if err := want.check(result.code, result.err); err != nil {
		t.Error(err)
	}
	if got := result.stdout.lastLine(); h.stdout != "" && got != h.stdout {
		t.Errorf("the last line of output is %q, want %q", got, h.stdout)
	}
	attacks.note(b.name, "run", result.err)
	if t.Failed() {
		result.report(t)
	}
}
