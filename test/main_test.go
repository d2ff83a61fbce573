// Package test runs real programs in sandboxes: the guests of this folder, the
// test binaries of the Go standard library and Debian's busybox.
//
// Everything that is built for it goes to build/test in the repository's root
// and is built again only when it is out of date. Environment variables:
//
//	AIRLOCK_LONG=1     the long form of some tests
//	AIRLOCK_BUSYBOX    a static busybox, if it is not in $PATH
//	CI=true            nothing is skipped: what is missing is a failure
package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/leak"
)

// exitLeak is the exit status of a test binary that left something behind.
const exitLeak = 99

// TestMain runs the tests and then looks for what they left behind: of the
// library, file descriptors, threads, goroutines and memory.
func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	leak.Track()
	before, err := census()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	status := m.Run()
	if err := printAttacks(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if status != 0 || kvmtest.Fuzzing() {
		return status
	}
	if report := leaked(before); report != "" {
		fmt.Fprintf(os.Stderr, "the tests passed but left this behind:\n%s", report)
		return exitLeak
	}
	return 0
}

// printAttacks prints what was attacked to stdout, and to build/test/attacks.txt:
// the go command shows no output of packages whose tests pass, unless -v is given.
func printAttacks() error {
	if kvmtest.Fuzzing() {
		return nil
	}
	var table strings.Builder
	attacks.print(&table)
	if table.Len() == 0 {
		return nil
	}
	fmt.Print(table.String())
	dir, err := buildDir("")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "attacks.txt"), []byte(table.String()), 0o644)
}

// inCI reports whether a missing tool is a failure.
func inCI() bool { return os.Getenv("CI") == "true" }

// long reports whether the long form of tests was asked for.
func long() bool { return os.Getenv("AIRLOCK_LONG") != "" }

// repository is the root of the repository.
var repository = sync.OnceValues(func() (string, error) { return filepath.Abs("..") })

// buildDir makes and returns a folder for what is built for the tests. It is
// kept, for the next run.
func buildDir(name string) (string, error) {
	root, err := repository()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "build", "test", name)
	return dir, os.MkdirAll(dir, 0o755)
}
