package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
)

func TestReport(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		code int
		want string
	}{
		{"success", nil, 0, ""},
		{"guest's code", guestExit(9), 9, ""},
		{"usage", usageError{"no"}, 2, "airlock: no (see 'airlock x --help')\n"},
		{
			"options", fmt.Errorf("%w: too small", airlock.ErrOptions), 2,
			"airlock: invalid options: too small (see 'airlock x --help')\n",
		},
		{
			"guest's error",
			failure{"it is bad", &airlock.GuestError{Code: airlock.CodeFailed, Message: "bad"}},
			1,
			"airlock: it is bad\n",
		},
		{"failure", failf("%s is bad", "it"), 3, "airlock: it is bad\n"},
		{"the library's prefix", errors.New("airlock: closed"), 3, "airlock: closed\n"},
		{
			"no hypervisor", fmt.Errorf("airlock: new sandbox: %w: no", airlock.ErrNoHypervisor), 3,
			"airlock: new sandbox: KVM is not available: no; 'airlock doctor' says more\n",
		},
		{
			"fault", &airlock.GuestFault{Kind: airlock.FaultPage, Access: airlock.AccessWrite, RIP: 0x401136, Symbol: "main+0x4"}, 3,
			"airlock: guest fault: page fault: write of address 0x0 at 0x401136 in main+0x4\n",
		},
		{"interrupt", interrupted{os.Interrupt}, 130, "airlock: interrupted\n"},
		{"termination", fmt.Errorf("run: %w", interrupted{terminate}), 143, "airlock: terminated\n"},
		{"two errors", errors.Join(errors.New("one"), errors.New("two")), 3, "airlock: one; two\n"},
		{"control characters", errors.New("a\x1b[31mb\tc\u202ed"), 3, `airlock: a\x1b[31mb\tc\u202ed` + "\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			if code := report(&b, "airlock x", test.err); code != test.code || b.String() != test.want {
				t.Errorf("report(%v) = %d, %q; want %d, %q", test.err, code, b.String(), test.code, test.want)
			}
		})
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	o := sandboxFlags{memory: 64 << 20, timeout: 5e9}
	fault := &airlock.GuestFault{Kind: airlock.FaultOutOfMemory}
	for _, test := range []struct {
		guest string
		err   error
		want  string
	}{
		{"hello", fmt.Errorf("airlock: run: %w", context.DeadlineExceeded), "hello timed out after 5s"},
		{"a b", fmt.Errorf("airlock: run: %w", context.DeadlineExceeded), `"a b" timed out after 5s`},
		{"hello", fmt.Errorf("airlock: run: %w: %w", context.Canceled, interrupted{os.Interrupt}), "interrupted"},
		{"hello", fault, "guest fault: out of memory; it had 64MiB, --memory gives more"},
		{"hello", airlock.ErrClosed, "airlock: closed"},
	} {
		if got := o.explain(test.guest, test.err); got == nil || got.Error() != test.want {
			t.Errorf("explain(%q, %v) = %v; want %s", test.guest, test.err, got, test.want)
		}
	}
	if err := o.explain("hello", nil); err != nil {
		t.Errorf("explain(nil) = %v; want nil", err)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"hello":      "hello",
		"./a-b/c.d":  "./a-b/c.d",
		"":           `""`,
		"two words":  `"two words"`,
		"x: y":       `"x: y"`,
		"bell\a":     `"bell\a"`,
		`quo"te`:     `"quo\"te"`,
		"größe":      "größe",
		"bad\xffend": `"bad\xffend"`,
	} {
		if got := name(path); got != want {
			t.Errorf("name(%q) = %s; want %s", path, got, want)
		}
	}
}
