package airlock

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
)

func TestNoGuest(t *testing.T) {
	t.Parallel()
	if _, err := New(t.Context(), nil, Options{}); !errors.Is(err, ErrOptions) {
		t.Errorf("New without a guest: %v", err)
	}
}

func TestOptionsConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options         Options
		memory, message uint64
		wrong           string // part of the error, or empty
	}{
		"default":         {Options{}, DefaultMemory, DefaultMessageSize, ""},
		"rounded":         {Options{Memory: 3 << 20, MessageSize: 1}, 4 << 20, 2 * abi.PageSize, ""},
		"one byte":        {Options{Memory: 1}, abi.MemoryUnit, DefaultMessageSize, ""},
		"largest":         {Options{Memory: MaxMemory}, MaxMemory, DefaultMessageSize, ""},
		"negative":        {Options{Memory: -1}, 0, 0, "Memory is negative: -1"},
		"too large":       {Options{Memory: MaxMemory + 1}, 0, 0, "Memory is"},
		"negative buffer": {Options{MessageSize: -5}, 0, 0, "MessageSize is negative: -5"},
		"negative spin":   {Options{Spin: -1}, 0, 0, "Spin is negative: -1ns"},
		"JIT":             {Options{AllowJIT: true}, DefaultMemory, DefaultMessageSize, ""},
		"trace":           {Options{Trace: io.Discard}, DefaultMemory, DefaultMessageSize, ""},
		"huge buffer":     {Options{MessageSize: 1 << 62}, 0, 0, "MessageSize is"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := test.options.config()
			if test.wrong != "" {
				if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), test.wrong) {
					t.Fatalf("config() = %v; want ErrOptions with %q", err, test.wrong)
				}
				return
			}
			if err != nil || c.Memory != test.memory || c.InputSize != test.message || c.OutputSize != test.message {
				t.Fatalf("config() = %+v, %v; want memory %d, buffers %d", c, err, test.memory, test.message)
			}
			if c.JIT != test.options.AllowJIT || c.Trace != (test.options.Trace != nil) {
				t.Errorf("config() = %+v", c)
			}
		})
	}
}

func TestCheckStrings(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", DefaultMessageSize-1)
	tests := map[string]struct {
		args, env []string
		buffer    uint64
		ok        bool
	}{
		"none":         {nil, nil, DefaultMessageSize, true},
		"some":         {[]string{"a", ""}, []string{"K=V"}, DefaultMessageSize, true},
		"full buffer":  {[]string{long}, nil, DefaultMessageSize, true},
		"one more":     {[]string{long, ""}, nil, DefaultMessageSize, false},
		"zero byte":    {[]string{"a\x00b"}, nil, DefaultMessageSize, false},
		"zero in env":  {nil, []string{"K=\x00"}, DefaultMessageSize, false},
		"full stack":   {[]string{strings.Repeat("x", maxStrings)}, nil, 16 << 20, false},
		"all pointers": {make([]string, maxStrings/9), nil, 16 << 20, false},
		"many":         {make([]string, maxStrings/9-2), nil, 16 << 20, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := checkStrings(test.args, test.env, test.buffer)
			if (err == nil) != test.ok || (err != nil && !errors.Is(err, ErrOptions)) {
				t.Fatalf("checkStrings() = %v; want ok %t", err, test.ok)
			}
		})
	}
}

// TestNames: names that an error lists are quoted where they could be taken for something
// else, and a long list is cut.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"plain": "plain", "ünï_1": "ünï_1", "a b": `"a b"`, "a,b": `"a,b"`, "f(x": `"f(x"`, "f)": `"f)"`,
		`a"b`: `"a\"b"`, "a\nb": `"a\nb"`, "\x1b[31m": `"\x1b[31m"`, "\xff": `"\xff"`,
	} {
		if got := quoteName(name); got != want {
			t.Errorf("quoteName(%q) = %s, want %s", name, got, want)
		}
	}
	var names []string
	for n := range 11 {
		names = append(names, fmt.Sprint(n))
	}
	for n, want := range map[int]string{
		0: "", 1: "0", 8: "0, 1, 2, 3, 4, 5, 6, 7",
		9: "0, 1, 2, 3, 4, 5, 6, 7 and 1 more", 11: "0, 1, 2, 3, 4, 5, 6, 7 and 3 more",
	} {
		if got := joinNames(names[:n]); got != want {
			t.Errorf("joinNames of %d = %s, want %s", n, got, want)
		}
	}
	hidden := errors.New("secret")
	for _, test := range []struct {
		err  error
		want string
	}{
		{hidden, hiddenFailure},
		{Visible(hidden), "secret"},
		{fmt.Errorf("where it is hidden: %w", Visible(errors.New("told"))), "told"},
		{errors.Join(hidden, Visible(errors.New("told"))), "told"},
	} {
		if got := publicText(test.err); got != test.want {
			t.Errorf("publicText(%v) = %q, want %q", test.err, got, test.want)
		}
	}
}

func TestFaultText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		fault GuestFault
		want  string
	}{
		{
			GuestFault{Kind: FaultPage, Access: AccessWrite, Addr: 0, RIP: 0x401136, Symbol: "main+0x4"},
			"airlock: guest fault: page fault: write of address 0x0 at 0x401136 in main+0x4",
		},
		{GuestFault{Kind: FaultDivide, RIP: 0x10}, "airlock: guest fault: division by zero at 0x10"},
		{GuestFault{Kind: FaultSignal, Signal: 6}, "airlock: guest fault: killed by a signal: SIGABRT"},
		{GuestFault{Kind: FaultSignal, Signal: 40}, "airlock: guest fault: killed by a signal: signal 40"},
		{
			GuestFault{Kind: FaultPort, Addr: 0x80, Detail: "1 byte"},
			"airlock: guest fault: use of a forbidden I/O port 0x80: 1 byte",
		},
		{GuestFault{Kind: FaultKind(99)}, "airlock: guest fault: unknown fault 99"},
	}
	for _, test := range tests {
		if got := test.fault.Error(); got != test.want {
			t.Errorf("Error() = %q; want %q", got, test.want)
		}
	}
	if err := error(&GuestFault{Kind: FaultOutOfMemory}); !errors.Is(err, ErrOutOfMemory) {
		t.Error("a fault of kind FaultOutOfMemory is not ErrOutOfMemory")
	}
	if err := error(&GuestFault{Kind: FaultPage}); errors.Is(err, ErrOutOfMemory) {
		t.Error("a page fault is ErrOutOfMemory")
	}
}
