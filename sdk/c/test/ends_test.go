package test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// TestAborts: mistakes of a program end it with a message that says which.
func TestAborts(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			program := native(t, compiler, "guest.c")
			tests := []struct {
				want, function string
				args           []any
			}{
				{"abort aborted: enough", "Abort", []any{"enough"}},
				{"abort aborted: " + strings.Repeat("x", 4093) + "…", "Abort", []any{strings.Repeat("x", 5000)}},
				{"abort panicked: WrongArgument: argument 0 was read as string and is int32", "WrongArgument", []any{int32(1)}},
				{"abort panicked: NoArgument: argument 1 was read as int32 and is not there", "NoArgument", []any{int32(1)}},
				{"abort panicked: WrongResult: int32 was returned, and is declared to be string", "WrongResult", nil},
				{"abort panicked: WrongBytes: bytes was returned, and is declared to be string", "WrongBytes", nil},
				{"abort panicked: NoResult: it returned nothing", "NoResult", nil},
				{"abort panicked: NoAppend: appended to a result that is no string, bytes or error", "NoAppend", nil},
				{"abort panicked: NumberAppend: appended to a result that is no string, bytes or error", "NumberAppend", nil},
				{"exit 3: ", "Exit", []any{int32(3)}},
			}
			for _, test := range tests {
				h := serveGuest(t, program, "")
				h.want(test.want, test.function, test.args...)
			}
		})
	}
}

// TestMistakes: programs whose tables are wrong say so before they serve.
func TestMistakes(t *testing.T) {
	t.Parallel()
	const name = "a function's name is 1 to 255 bytes of UTF-8"
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			program := native(t, compiler, "mistakes.c")
			for number, want := range []string{
				"Twice: it is imported twice",
				"Good: it is exported twice",
				": " + name,
				": " + name,
				"\ufffd: " + name,
				strings.Repeat("n", 256) + ": " + name,
				"Handler: it has no handler",
				"Result: the type of its result is not one",
				"NoResult: the type of its result is not one",
				"Parameter: the type of a parameter is not one",
				"airlock_serve: there are more than 1024 exports or imports",
				"airlock_serve: the list of exports and imports does not fit into the message buffer",
			} {
				h := startHost(t, program, "", fmt.Sprint(number))
				if got := h.wanted(); got != "abort panicked: "+want {
					t.Errorf("%d: %s; want %s", number, got, want)
				}
			}
			// With a buffer for all of them, 1024 functions are served.
			h := startHost(t, program, fmt.Sprintf("%d 1 %d", abi.ABIVersion, 1<<20), "11")
			if end := h.wanted(); end != "" || len(h.declaration.Exports) != wire.MaxFunctions {
				t.Fatalf("1024 functions: %s, %d exports", end, len(h.declaration.Exports))
			}
			for _, f := range h.declaration.Exports[1000:] {
				h.want("<nil>", f.Name)
			}
		})
	}
}

// TestNobodyThere: a program that nobody calls says so and exits.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			program := native(t, compiler, "guest.c")
			const serves = "exit 1: this program serves function calls: "
			for info, want := range map[string]string{
				"nothing":                          "it is not in an Airlock sandbox",
				"7 1 65536":                        fmt.Sprintf("it was built for ABI version %d, and the sandbox has 7", abi.ABIVersion),
				fmt.Sprint(abi.ABIVersion, " 0 0"): `it was run, and not called: see "airlock call"`,
			} {
				if got := startHost(t, program, info).wanted(); got != serves+want {
					t.Errorf("%s: %s; want %s", info, got, want)
				}
			}
			h := serveGuest(t, program, "")
			h.send(-5, nil)
			if end := h.wanted(); end != serves+"the host is gone" {
				t.Errorf("an error for a call: %s", end)
			}
			h = serveGuest(t, program, "")
			h.send(1<<40, nil)
			if end := h.wanted(); end != serves+"the host is gone" {
				t.Errorf("a call that is longer than the buffer: %s", end)
			}
		})
	}
}

// TestThreads: threads may call the host and log while a call is in progress,
// under the sanitizer for races too.
func TestThreads(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			programs := []string{native(t, compiler, "threads.c")}
			if race := []string{"-g", "-O1", "-fsanitize=thread"}; canLink(t, compiler, race...) {
				programs = append(programs, native(t, compiler, "threads.c", race...))
			}
			for _, program := range programs {
				h := serveGuest(t, program, "")
				for range 3 {
					h.want(strings.Repeat("text", 200), "Run", "text")
				}
				if len(h.logs) != 3*80 {
					t.Errorf("%d log records; want 240", len(h.logs))
				}
			}
		})
	}
}
