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

func TestCallFlags(t *testing.T) {
	t.Parallel()
	cmd := newCallCommand()
	args := []string{"--host", "A=b=c", "--host=B=", "--json", "--message-size", "2MiB", "-v", "guest", "f", "-1", "--json"}
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(cmd.Flags().Args(), " "); got != "guest f -1 --json" {
		t.Errorf("arguments = %s; want guest f -1 --json", got)
	}
	for name, want := range map[string]string{
		"json": "true", "message-size": "2MiB", "verbose": "true", "memory": "64MiB", "timeout": "0s",
	} {
		if got := cmd.Flags().Lookup(name).Value.String(); got != want {
			t.Errorf("--%s = %s; want %s", name, got, want)
		}
	}
	hosts, ok := cmd.Flags().Lookup("host").Value.(*hostList)
	if !ok || len(*hosts) != 2 || (*hosts)[0] != (hostValue{"A", "b=c"}) || (*hosts)[1] != (hostValue{"B", ""}) {
		t.Errorf("--host = %q; want A=b=c and B=", *hosts)
	}
}

func TestNewCallError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		err  error
		want callError
	}{
		{&airlock.GuestError{Code: airlock.CodeFailed, Message: "a\nb"}, callError{"guest", "failed", "a\nb"}},
		{usageError{"no"}, callError{"usage", "", "no"}},
		{fmt.Errorf("%w: no", airlock.ErrOptions), callError{"usage", "", "invalid options: no"}},
		{interrupted{os.Interrupt}, callError{"interrupted", "", "interrupted"}},
		{failure{"g timed out", context.DeadlineExceeded}, callError{"timeout", "", "g timed out"}},
		{&airlock.GuestFormatError{}, callError{"refused", "", plain(&airlock.GuestFormatError{})}},
		{airlock.ErrNotServing, callError{"refused", "", "guest does not serve calls"}},
		{
			failure{"no more", &airlock.GuestFault{Kind: airlock.FaultOutOfMemory}},
			callError{"fault", "out of memory", "no more"},
		},
		{
			&airlock.GuestAbortError{Code: airlock.CodePanicked, Message: "x"},
			callError{"fault", "panicked", `guest aborted: panicked: "x"`},
		},
		{&airlock.GuestExitError{Code: 3}, callError{"fault", "exited", "guest program ended with code 3 during a call"}},
		{airlock.ErrProtocol, callError{"fault", "protocol", "guest broke the protocol"}},
		{errors.New("a\x1bb"), callError{"failed", "", `a\x1bb`}},
	} {
		if got := newCallError(test.err); got != test.want {
			t.Errorf("newCallError(%v) = %+v; want %+v", test.err, got, test.want)
		}
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"":                  true,
		"two\r\nlines\t\n":  true,
		"größe 👩‍👩‍👧":       true,
		"\x1b[2J":           false,
		"\u009b2J":          false, // the same in one character
		"\x00":              false,
		"\x7f":              false,
		"not UTF-8: \xe4nd": false,
	} {
		if got := harmless(text); got != want {
			t.Errorf("harmless(%q) = %v; want %v", text, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "axc", 1}, {"kitten", "sitting", 3}, {"größe", "grosse", 3},
	} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("distance(%q, %q) = %d; want %d", test.a, test.b, got, test.want)
		}
	}
}

func TestSuggestion(t *testing.T) {
	t.Parallel()
	functions := []airlock.FunctionInfo{{Name: "Add"}, {Name: "SayHello"}, {Name: "two words"}}
	for function, want := range map[string]string{
		"sayhello": " (did you mean SayHello?)",
		"SayHelo":  " (did you mean SayHello?)",
		"twowords": ` (did you mean "two words"?)`,
		"Sub":      "",
		"ad":       " (did you mean Add?)",
		"Goodbye":  "",
		"":         "",
	} {
		if got := suggestion(function, functions); got != want {
			t.Errorf("suggestion(%q) = %q; want %q", function, got, want)
		}
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	if got := signatures(nil); got != "none" {
		t.Errorf("signatures of nothing = %s; want none", got)
	}
	many := make([]airlock.FunctionInfo, 23)
	for i := range many {
		many[i] = airlock.FunctionInfo{Name: "F", Return: "void"}
	}
	if got := signatures(many); !strings.HasSuffix(got, "F(), and 3 more ('airlock inspect' lists them)") {
		t.Errorf("signatures of many = %s; want a cut", got)
	}
}

func TestHostFlag(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		f    airlock.FunctionInfo
		want string
	}{
		{airlock.FunctionInfo{Name: "A.b-c", Return: "int32"}, "--host A.b-c=VALUE"},
		{airlock.FunctionInfo{Name: "Notify", Return: "void"}, "--host Notify="},
		{airlock.FunctionInfo{Name: "it's", Return: "void"}, `--host 'it'\''s='`},
		{airlock.FunctionInfo{Name: "a b", Return: "bool"}, `--host 'a b=VALUE'`},
	} {
		if got := hostFlag(test.f); got != test.want {
			t.Errorf("hostFlag(%v) = %s; want %s", test.f, got, test.want)
		}
	}
}

// TestUnknownTypes has a guest that declares what this version doesn't know.
func TestUnknownTypes(t *testing.T) {
	t.Parallel()
	for _, f := range []airlock.FunctionInfo{
		{Name: "F", Return: "map"},
		{Name: "F", Params: []string{"map"}, Return: "void"},
	} {
		_, err := hostList{{name: "F"}}.functions("g", []airlock.FunctionInfo{f}, &inputs{})
		if err == nil || !strings.Contains(err.Error(), `the type "map" is not known`) {
			t.Errorf("--host for %v: %v; want an error about the type", f, err)
		}
	}
}
