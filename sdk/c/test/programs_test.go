package test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// TestRun: a program that is run, and not called, says so.
func TestRun(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	sb := newSandbox(t, buildGuest(t, "guest.c", builds["freestanding"]), airlock.Options{})
	var stderr bytes.Buffer
	code, err := sb.Run(t.Context(), airlock.Process{Stderr: &stderr})
	if code != 1 || err != nil || !strings.Contains(stderr.String(), "it was run, and not called") {
		t.Errorf("Run = %d, %v, %q", code, err, &stderr)
	}
}

// TestSandboxThreads: threads of both libcs may call the host.
func TestSandboxThreads(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"glibc", "musl"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kvmtest.Require(t)
			command := builds[name]
			program := compile(t, command[0], "-O2", "-pthread", command[1:], "-I../..", "threads.c", sdk)
			guest, err := airlock.LoadGuest(program)
			if err != nil {
				t.Fatal(err)
			}
			sb := newSandbox(t, guest, airlock.Options{})
			for range 3 {
				if got, err := sb.Call(t.Context(), "Run", "text"); got != strings.Repeat("text", 200) || err != nil {
					t.Fatalf("Run = %.100v, %v", got, err)
				}
			}
		})
	}
}

// TestMistakesInSandbox: what is wrong with a program's tables gets to the host.
func TestMistakesInSandbox(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	sb := newSandbox(t, buildGuest(t, "mistakes.c", builds["musl"]), airlock.Options{})
	_, err := sb.Call(t.Context(), "Good")
	if abort, ok := errors.AsType[*airlock.GuestAbortError](err); !ok || abort.Message != "Twice: it is imported twice" {
		t.Errorf("a function that is imported twice: %v", err)
	}
}

// TestHelloExample builds the C guest of examples/hello as its comment says, and
// runs it with the host program of the example.
func TestHelloExample(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	require(t, "gcc")
	guest := filepath.Join(t.TempDir(), "hello.guest")
	text, err := os.ReadFile("../../../examples/hello/guest-c/hello.c")
	if err != nil {
		t.Fatal(err)
	}
	const command = "gcc -O2 -static -Isdk/c -o hello.guest examples/hello/guest-c/hello.c sdk/c/airlock_guest.c"
	if !strings.Contains(string(text), command) {
		t.Errorf("hello.c does not say how to build it: %s", command)
	}
	for _, args := range [][]string{
		strings.Fields(strings.Replace(command, "hello.guest", guest, 1)),
		{"go", "run", "./examples/hello", guest},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = "../../.."
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		if want := "Hello, World! Today is Monday.\n"; args[0] == "go" && string(out) != want {
			t.Errorf("hello printed %q; want %q", out, want)
		}
	}
}

// TestReadme builds the program of README.md with the commands there, and calls it.
func TestReadme(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	require(t, "gcc")
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, source, _ := strings.Cut(string(readme), "```c\n")
	source, _, _ = strings.Cut(source, "```")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "add.c"), []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`(?m)^gcc .*`).FindAllString(string(readme), -1)
	if len(commands) != 2 {
		t.Fatalf("README.md has %d commands; want 2", len(commands))
	}
	for _, command := range commands {
		args := strings.Fields(command)
		for i := range args {
			args[i] = strings.Replace(args[i], "add.", dir+"/add.", 1)
		}
		cmd := exec.Command(args[0], append(args[1:], strict...)...)
		cmd.Dir = "../../.."
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
		guest, err := airlock.LoadGuest(filepath.Join(dir, "add.guest"))
		if err != nil {
			t.Fatal(err)
		}
		sb := newSandbox(t, guest, airlock.Options{})
		if sum, err := airlock.Call[int32](t.Context(), sb, "Add", 2, 3); sum != 5 || err != nil {
			t.Errorf("%s: Add(2, 3) = %d, %v", command, sum, err)
		}
	}
}

// BenchmarkCall measures a call that returns its argument, in a sandbox.
func BenchmarkCall(b *testing.B) {
	kvmtest.Require(b)
	sb := newSandbox(b, buildGuest(b, "guest.c", builds["glibc"]), airlock.Options{})
	text := strings.Repeat("x", 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := airlock.Call[string](b.Context(), sb, "String", text); err != nil {
			b.Fatal(err)
		}
	}
}
