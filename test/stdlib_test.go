package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// suite is the test binary of a package of the standard library.
type suite struct {
	pkg    string
	skip   []skipped
	memory int64         // bytes; 0 is suiteMemory
	limit  time.Duration // 0 is suiteLimit
}

// skipped are tests that can't work in a sandbox.
type skipped struct {
	reason string
	names  []string // TestName or TestName/subtest
}

const (
	suiteMemory = 512 << 20
	suiteLimit  = 120 * time.Second
)

// TestStandardLibrary runs the Go standard library's own tests in sandboxes.
func TestStandardLibrary(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	list := suites
	if long() {
		list = slices.Concat(list, moreSuites)
	}
	for _, s := range list {
		t.Run(s.pkg, func(t *testing.T) {
			t.Parallel()
			testSuite(t, s)
		})
	}
}

func testSuite(t *testing.T, s suite) {
	t.Helper()
	guest, err := airlock.LoadGuest(buildSuite(t, s.pkg))
	if err != nil {
		t.Fatal(err)
	}
	limit, memory := s.limit, s.memory
	if limit == 0 {
		limit = suiteLimit
	}
	if memory == 0 {
		memory = suiteMemory
	}
	args := []string{"-test.short", "-test.v", "-test.timeout=" + limit.String()}
	if len(s.skip) > 0 {
		args = append(args, "-test.skip="+s.pattern())
	}
	result := run(t, program{
		guest:   guest,
		options: airlock.Options{Memory: memory},
		process: airlock.Process{Args: args},
		// The guest's own time limit comes first: it prints where it hangs.
		deadline: limit + 5*time.Second,
	})
	if result.code != 0 || result.err != nil || result.stdout.lastLine() != "PASS" {
		t.Errorf("code %d, error %v; failed: %q", result.code, result.err, failedTests(result.stdout.String()))
		result.report(t)
	}
	passed := strings.Count(result.stdout.String(), "--- PASS: ")
	if passed == 0 {
		t.Error("no test passed")
	}
	t.Logf("%d tests passed in %v, %d were skipped by themselves", passed, result.took.Round(time.Millisecond),
		strings.Count(result.stdout.String(), "--- SKIP: "))
}

// pattern is the value of -test.skip for all tests to be skipped.
func (s suite) pattern() string {
	var patterns []string
	for _, group := range s.skip {
		for _, name := range group.names {
			levels := strings.Split(name, "/")
			for i := range levels {
				levels[i] = "^" + regexp.QuoteMeta(levels[i]) + "$"
			}
			patterns = append(patterns, strings.Join(levels, "/"))
		}
	}
	return strings.Join(patterns, "|")
}

var failLine = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// failedTests lists the names of failed tests in the output of a test binary.
func failedTests(output string) []string {
	var names []string
	for _, match := range failLine.FindAllStringSubmatch(output, -1) {
		names = append(names, match[1])
	}
	return names
}

// suiteBuilds is how many test binaries are built at a time: each build uses all
// processors.
var suiteBuilds sync.Mutex

// buildSuite builds the test binary of a package unless there is one of this Go
// release.
func buildSuite(t *testing.T, pkg string) string {
	t.Helper()
	suiteBuilds.Lock()
	defer suiteBuilds.Unlock()
	// Experiments are part of the version, with a space before them.
	dir, err := buildDir("stdlib-" + strings.ReplaceAll(runtime.Version(), " ", "-"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, strings.ReplaceAll(pkg, "/", "_")+".test")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	// The database of time zones is a file; the tag makes it part of the binary.
	command := exec.Command("go", "test", "-c", "-trimpath", "-tags", "timetzdata", "-o", path+".new", pkg)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("go test -c %s: %v\n%s", pkg, err, out)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestSuitePattern(t *testing.T) {
	t.Parallel()
	s := suite{skip: []skipped{{"why", []string{"TestA", "TestB/x.y"}}, {"why", []string{"ExampleC"}}}}
	if got, want := s.pattern(), `^TestA$|^TestB$/^x\.y$|^ExampleC$`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(failedTests("--- FAIL: TestA (0s)\n--- PASS: TestB\n    --- FAIL: TestC/d (1s)\n")), "[TestA TestC/d]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
