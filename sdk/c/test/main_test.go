// Package test tests the C guest SDK in the folder above: its reader and writer
// against internal/wire, the whole of it natively under sanitizers with a Go
// test as the host, and in real sandboxes with every libc and with none.
//
// The C programs are in testdata, where Go doesn't look for sources.
package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/leak"
)

// exitLeak is the exit status of a test binary that left something behind.
const exitLeak = 99

// programs is the folder of what is compiled for more than one test.
var programs string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	if err := readSources(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	leak.Track()
	goroutines := runtime.NumGoroutine()
	var err error
	if programs, err = os.MkdirTemp("", "airlock-sdk-c-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(programs)
	status := m.Run()
	if report := leaked(goroutines); status == 0 && report != "" {
		fmt.Fprintln(os.Stderr, report)
		return exitLeak
	}
	return status
}

// readSources reads what the compilers are going to read, so that the go command
// knows what the tests depend on, and runs them again when it has changed.
func readSources() error {
	for _, pattern := range []string{"../*.[ch]", "testdata/*", "../../../abi/*.h"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			return fmt.Errorf("no sources in %s: %w", pattern, err)
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				return err
			}
		}
	}
	return nil
}

// leaked describes what the tests have left open, after giving what is on its
// way out a moment. It is empty if all is well.
func leaked(goroutines int) string {
	// The library opens the KVM device once for the process and keeps it.
	const kept = 1
	const patience = 2 * time.Second
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC() // guests have no Close: their memory files go with the garbage
		if leak.Count() <= kept && runtime.NumGoroutine() <= goroutines {
			return ""
		}
		if time.Now().After(deadline) {
			return fmt.Sprintf("leaked, beside the KVM device: %d goroutines instead of %d, and\n%s",
				runtime.NumGoroutine(), goroutines, strings.Join(leak.Report(), "\n"))
		}
	}
}

// sdk is the one source file, as seen from testdata.
const sdk = "../../airlock_guest.c"

// sanitizers make a program end at the first mistake that they see.
var sanitizers = []string{"-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"}

// strict are the warnings under which users may compile the SDK.
var strict = []string{"-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"}

// require skips a test for want of a program, or fails it in CI.
func require(tb testing.TB, program string) {
	tb.Helper()
	if _, err := exec.LookPath(program); err != nil {
		kvmtest.Skip(tb, "needs a C compiler: "+err.Error())
	}
}

// compile runs a compiler in testdata, once for the same arguments, and returns
// the program that it made.
func compile(tb testing.TB, compiler string, args ...any) string {
	tb.Helper()
	require(tb, compiler)
	key := fmt.Sprint(compiler, args)
	compiled.Lock()
	build, ok := compiled.once[key]
	if !ok {
		out := filepath.Join(programs, fmt.Sprintf("program%d", len(compiled.once)))
		build = sync.OnceValues(func() (string, error) {
			if text, err := run(compiler, append(args, "-o", out)...); err != nil {
				return "", fmt.Errorf("%s: %w\n%s", compiler, err, text)
			}
			return out, nil
		})
		compiled.once[key] = build
	}
	compiled.Unlock()
	out, err := build()
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

var compiled = struct {
	sync.Mutex
	once map[string]func() (string, error)
}{once: map[string]func() (string, error){}}

// run runs a program in testdata. An argument may be a list of them.
func run(program string, args ...any) (string, error) {
	var list []string
	for _, arg := range args {
		switch arg := arg.(type) {
		case string:
			list = append(list, arg)
		case []string:
			list = append(list, arg...)
		default:
			return "", fmt.Errorf("an argument is a %T", arg)
		}
	}
	cmd := exec.Command(program, list...)
	cmd.Dir = "testdata"
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// canLink reports whether a compiler is there and has what the options need:
// distributions pack the sanitizers of clang separately.
func canLink(tb testing.TB, compiler string, options ...string) bool {
	tb.Helper()
	source := filepath.Join(tb.TempDir(), "empty.c")
	text := "int LLVMFuzzerTestOneInput(const unsigned char *p, unsigned long n) { return p == 0 && n == 0; }\n"
	if !strings.Contains(strings.Join(options, " "), "fuzzer") {
		text = "int main(void) { return 0; }\n"
	}
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		tb.Fatal(err)
	}
	_, err := run(compiler, options, source, "-o", source+".out")
	return err == nil
}

// sanitizing returns the compilers that have the sanitizers; at least one.
var sanitizing = func() func(tb testing.TB) []string {
	var once sync.Once
	var list []string
	return func(tb testing.TB) []string {
		tb.Helper()
		once.Do(func() {
			for _, compiler := range []string{"gcc", "clang"} {
				if canLink(tb, compiler, sanitizers...) {
					list = append(list, compiler)
				}
			}
		})
		if len(list) == 0 {
			kvmtest.Skip(tb, "needs gcc or clang with the address sanitizer")
		}
		return list
	}
}()

// TestCompiles: both files compile as C99 without a warning, for any libc and
// for none, and the header is C++ too.
func TestCompiles(t *testing.T) {
	t.Parallel()
	for _, compiler := range []string{"gcc", "clang"} {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			require(t, compiler)
			for _, level := range []string{"-O0", "-O1", "-O2", "-O3", "-Os"} {
				for _, mode := range [][]string{{}, {"-ffreestanding", "-DAIRLOCK_FREESTANDING"}} {
					object := filepath.Join(t.TempDir(), "sdk.o")
					text, err := run(compiler, "-std=c99", "-Wstrict-prototypes", "-Wmissing-prototypes", strict, level, mode,
						"-c", sdk, "-o", object)
					if err != nil {
						t.Errorf("%s %v: %v\n%s", level, mode, err, text)
					}
				}
			}
			text, err := run(compiler, "-std=c99", strict, "-fsyntax-only", "-x", "c", "../../airlock_guest.h")
			if err != nil {
				t.Errorf("the header alone: %v\n%s", err, text)
			}
		})
	}
	for _, compiler := range []string{"g++", "clang++"} {
		if _, err := exec.LookPath(compiler); err != nil {
			t.Logf("without %s: %v", compiler, err)
			continue
		}
		text, err := run(compiler, "-std=c++11", strict, "-I../..", "-fsyntax-only", "header.cc")
		if err != nil {
			t.Errorf("%s: %v\n%s", compiler, err, text)
		}
	}
}

// TestFreestanding: without a libc the SDK needs nothing but main.
func TestFreestanding(t *testing.T) {
	t.Parallel()
	require(t, "gcc")
	require(t, "nm")
	object := filepath.Join(t.TempDir(), "sdk.o")
	text, err := run("gcc", "-std=c99", "-O2", "-ffreestanding", "-DAIRLOCK_FREESTANDING", "-c", sdk, "-o", object)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	text, err = run("nm", "--undefined-only", "--format=posix", object)
	if got := strings.Fields(text); err != nil || len(got) != 2 || got[0] != "main" {
		t.Errorf("undefined symbols: %q, %v; want main", text, err)
	}
	text, err = run("gcc", "-std=c99", "-DAIRLOCK_FREESTANDING", "-c", sdk, "-o", object)
	if err == nil || !strings.Contains(text, "-ffreestanding") {
		t.Errorf("AIRLOCK_FREESTANDING without -ffreestanding: %v\n%s", err, text)
	}
}

// TestTwoFiles: users copy two files, which include nothing else of the
// repository.
func TestTwoFiles(t *testing.T) {
	t.Parallel()
	require(t, "gcc")
	dir := t.TempDir()
	for _, name := range []string{"airlock_guest.h", "airlock_guest.c"} {
		text, err := os.ReadFile(filepath.Join("..", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte("airlock_abi.h\"")) {
			t.Errorf("%s includes the contract", name)
		}
	}
	object := filepath.Join(dir, "sdk.o")
	if text, err := run("gcc", "-c", filepath.Join(dir, "airlock_guest.c"), "-o", object); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
