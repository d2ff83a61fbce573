// Package kvmtest is what tests that need virtual machines share.
package kvmtest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/leak"
)

// leakStatus is the exit status of a test binary that left something open.
const leakStatus = 99

// Require returns the open KVM device, which is closed after the test. Where
// there is none the test is skipped with the reason, except in CI (CI=true),
// where it fails: a skip there would hide that nothing is tested.
func Require(tb testing.TB) *kvm.System {
	tb.Helper()
	sys, err := kvm.Open(kvm.DefaultDevice)
	if err != nil {
		Skip(tb, fmt.Sprintf("user %d: %v", os.Getuid(), err))
	}
	tb.Cleanup(func() {
		if err := sys.Close(); err != nil {
			tb.Errorf("close KVM: %v", err)
		}
	})
	return sys
}

// Skip skips a test for want of something, or fails it in CI.
func Skip(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("in CI nothing is skipped: %s", reason)
	}
	tb.Skip(reason)
}

// RequireTwoProcessors skips a test, or fails it in CI, where a guest and its
// caller can't both be on a processor.
func RequireTwoProcessors(tb testing.TB) {
	tb.Helper()
	if min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) < 2 {
		Skip(tb, "it takes two processors")
	}
}

// Main runs the tests of a package and fails if one left a resource, a mapping
// or a goroutine behind: it prints who made it and exits with status 99.
// TestMain calls it.
func Main(m *testing.M) {
	leak.Track()
	before := runtime.NumGoroutine()
	status := m.Run()
	if status == 0 && !Fuzzing() {
		if report := Leaks(before); report != "" {
			fmt.Fprintln(os.Stderr, report)
			status = leakStatus
		}
	}
	os.Exit(status)
}

// Fuzzing reports whether the test binary fuzzes: the goroutines of that run on
// when the tests have ended.
func Fuzzing() bool {
	for _, name := range []string{"test.fuzz", "test.fuzzworker"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != f.DefValue {
			return true
		}
	}
	return false
}

// Leaks describes what is open beyond the number of goroutines given, after
// giving what is on its way out a moment. It is empty if all is well.
func Leaks(goroutines int) string {
	const patience = 2 * time.Second
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		open, running := leak.Count(), runtime.NumGoroutine()
		if open == 0 && running <= goroutines {
			return ""
		}
		if time.Now().After(deadline) {
			break
		}
	}
	report := leak.Report()
	if n := runtime.NumGoroutine(); n > goroutines {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		report = append(report, fmt.Sprintf("%d goroutines instead of %d:\n%s", n, goroutines, stacks))
	}
	return "leaked:\n" + strings.Join(report, "\n")
}
