package test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// header is what the first comment of a guest says about it: one line of prose,
// then lines "// key: value". The keys are described in guests/README.md.
type header struct {
	want   expectation
	call   string      // the function that is called; empty for a program that is run
	run    expectation // of one that is called: how it ends if it is run as well
	stdout string      // the last line of output; empty if it does not matter
	args   [][]string  // the arguments of each run
	env    []string
	stdin  string
	memory int64 // bytes
	jit    bool
	libc   string // the only C library that it is for; empty for all
	pie    bool   // is built as a static PIE as well
}

var headerLine = regexp.MustCompile(`^// ([a-z][a-z-]*): *(.*)$`)

// readHeader parses the first comment of a guest.
func readHeader(path string) (header, error) {
	source, err := os.ReadFile(path)
	if err != nil {
		return header{}, err
	}
	h, err := parseHeader(string(source))
	if err != nil {
		return header{}, fmt.Errorf("%s: %w", path, err)
	}
	return h, nil
}

func parseHeader(source string) (header, error) {
	h := header{memory: 32 << 20}
	repeat := 1
	for i, line := range strings.Split(source, "\n") {
		if !strings.HasPrefix(line, "//") {
			break
		}
		match := headerLine.FindStringSubmatch(line)
		if i == 0 || match == nil {
			continue // prose
		}
		if match[1] == "stdin-repeat" {
			n, err := strconv.Atoi(match[2])
			if err != nil {
				return h, fmt.Errorf("stdin-repeat: %w", err)
			}
			repeat = n
			continue
		}
		if err := h.set(match[1], match[2]); err != nil {
			return h, fmt.Errorf("%s: %w", match[1], err)
		}
	}
	if h.want.what == "" {
		return h, fmt.Errorf("its first comment has no line \"// want: ...\"")
	}
	if err := h.consistent(); err != nil {
		return h, err
	}
	if len(h.args) == 0 {
		h.args = [][]string{nil}
	}
	h.stdin = strings.Repeat(h.stdin, repeat)
	return h, nil
}

// callWants are the ends that only a call can come to.
var callWants = []string{"result", "guest-error", "abort"}

// consistent refuses ends that a run or a call can't come to.
func (h *header) consistent() error {
	switch {
	case h.call == "" && (slices.Contains(callWants, h.want.what) || h.run.what != ""):
		return fmt.Errorf("there is no line \"// call: ...\" for its want or run")
	case slices.Contains(callWants, h.run.what):
		return fmt.Errorf("a run can't end with %s", h.run)
	}
	return nil
}

// set notes one line.
func (h *header) set(key, value string) (err error) {
	switch key {
	case "want":
		h.want, err = parseWant(value)
	case "call":
		h.call = value
		if value == "" || strings.ContainsAny(value, " \t") {
			err = fmt.Errorf("%q is no name of a function", value)
		}
	case "run":
		h.run, err = parseWant(value)
	case "stdout":
		h.stdout = value
	case "args":
		h.args = append(h.args, strings.Fields(value))
	case "env":
		for word := range strings.FieldsSeq(value) {
			h.env = append(h.env, strings.ReplaceAll(word, `\s`, " "))
		}
	case "stdin":
		h.stdin, err = unquote(value)
	case "memory":
		h.memory, err = parseSize(value)
	case "options":
		if value != "allow-exec" {
			return fmt.Errorf("unknown option %q", value)
		}
		h.jit = true
	case "libc":
		h.libc, _, _ = strings.Cut(value, " ")
	case "pie":
		h.pie = value == "yes"
	case "flags", "native": // for build.sh and verify-native.sh
	default:
		return fmt.Errorf("unknown key")
	}
	return err
}

// unquote resolves \n, \xHH and the like.
func unquote(s string) (string, error) {
	var b strings.Builder
	for s != "" {
		r, multibyte, rest, err := strconv.UnquoteChar(s, 0)
		if err != nil {
			return "", fmt.Errorf("%q: %w", s, err)
		}
		s = rest
		if multibyte {
			b.WriteRune(r)
		} else {
			b.WriteByte(byte(r))
		}
	}
	return b.String(), nil
}

func parseSize(s string) (int64, error) {
	n, ok := strings.CutSuffix(s, "MiB")
	if !ok {
		return 0, fmt.Errorf("%q is not a number of MiB", s)
	}
	mib, err := strconv.ParseInt(n, 10, 32)
	return mib << 20, err
}

// deadline is how long a program gets that should end in this way.
func (e expectation) deadline() time.Duration {
	switch e.what {
	case "timeout":
		return time.Second
	case "any":
		// A timeout is one of the ends that it may come to, and many do.
		return 3 * time.Second
	}
	return 60 * time.Second
}

func TestParseHeader(t *testing.T) {
	t.Parallel()
	h, err := parseHeader("// Says: something.\n// want: exit 3\n// args: a b\n// args:\n// env: A=b\\sc D=\n" +
		"// stdin: x\\n\\x41ö\n// stdin-repeat: 2\n// memory: 32MiB\n// pie: yes\n//\n\n// want: exit 4\n")
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%v %q %q %q %d %v", h.want, h.args, h.env, h.stdin, h.memory, h.pie)
	want := `exit 3 [["a" "b"] []] ["A=b c" "D="] "x\nAöx\nAö" 33554432 true`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, bad := range []string{
		"// No want.\n", "// \n// want: exit\n", "// \n// want: exit 256\n", "// \n// want: fault nothing\n",
		"// \n// want: fault page-fault jump\n", "// \n// want: signal SIGNONE\n", "// \n// want: happiness\n",
		"// \n// want: any thing\n", "// \n// want: any\n// wnat: any\n", "// \n// want: any\n// memory: 3\n",
		"// \n// want: any\n// options: all\n", "// \n// want: result 3\n", "// \n// want: any\n// run: any\n",
		"// \n// want: any\n// call:\n", "// \n// want: any\n// call: A b\n", "// \n// call: A\n// want: protocol 3\n",
		"// \n// call: A\n// want: any\n// run: result 3\n", "// \n// want: abort\n", "// \n// call: A\n// run: any\n", "// \n// want: any\n// stdin: \\q\n",
	} {
		if _, err := parseHeader(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}
