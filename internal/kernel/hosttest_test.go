package kernel_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestHost runs the C tests of the kernel's pure parts, which test/run.sh
// builds for the host with sanitizers. CC chooses the compiler.
func TestHost(t *testing.T) {
	t.Parallel()
	requireCompiler(t)

	cmd := exec.CommandContext(t.Context(), "sh", filepath.Join("test", "run.sh"))
	output, err := cmd.CombinedOutput()
	t.Logf("test/run.sh:\n%s", output)
	if err != nil {
		t.Fatalf("test/run.sh: %v; want success", err)
	}
	// A script that found no test would be silent, not successful.
	tests, err := filepath.Glob(filepath.Join("test", "test_*.c"))
	if err != nil {
		t.Fatal(err)
	}
	if got := bytes.Count(output, []byte("ok ")); got < len(tests) {
		t.Errorf("test/run.sh passed %d tests; want at least the %d in test/", got, len(tests))
	}
}

// requireCompiler skips a test on a machine where the C code can't be built.
// In CI that is a failure: nothing is skipped there.
func requireCompiler(t *testing.T) {
	t.Helper()
	reason := ""
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		reason = "the kernel is x86-64 code and its tests need Linux: this is " + runtime.GOOS + "/" + runtime.GOARCH
	} else if !hasCompiler() {
		reason = "no C compiler (looked for " + strings.Join(compilers(), ", ") + "): install gcc or clang"
	}
	switch {
	case reason == "":
	case os.Getenv("CI") == "true":
		t.Fatal(reason)
	default:
		t.Skip(reason)
	}
}

// compilers returns the commands that test/run.sh tries.
func compilers() []string {
	if cc := os.Getenv("CC"); cc != "" {
		return strings.Fields(cc)
	}
	return []string{"gcc", "clang"}
}

func hasCompiler() bool {
	for _, name := range compilers() {
		if _, err := exec.LookPath(name); err == nil {
			return true
		}
	}
	return false
}
