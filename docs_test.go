package airlock_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestReadme keeps the Go examples of README.md the same as code that is
// compiled and run.
func TestReadme(t *testing.T) {
	t.Parallel()
	unindented := func(text string) string {
		return regexp.MustCompile(`(?m)^\t+`).ReplaceAllString(text, "")
	}
	source := read(t, "example_test.go") + read(t, "example_call_test.go") + read(t, "confined_example_test.go") + read(t, "examples/hello/main.go") + read(t, "examples/hello/guest/main.go")
	source = strings.NewReplacer("hello()", `"hello"`, "greeter()", "guest").Replace(unindented(source))
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```\n").FindAllStringSubmatch(unindented(read(t, "README.md")), -1)
	if len(blocks) == 0 {
		t.Error("README.md has no example")
	}
	for _, block := range blocks {
		if !strings.Contains(source, block[1]) {
			t.Errorf("README.md has an example that is not in the code:\n%s", block[1])
		}
	}
}

// TestArchitecture demands that ARCHITECTURE.md names every directory with
// code. The guests of the tests are described together.
func TestArchitecture(t *testing.T) {
	t.Parallel()
	text := read(t, "ARCHITECTURE.md")
	seen := make(map[string]bool)
	walk(t, func(name string) {
		dir := path.Dir(name)
		switch path.Ext(name) {
		case ".go", ".c", ".S", ".rs":
		default:
			return
		}
		if seen[dir] || dir == "." || strings.HasPrefix(dir, "test/guests/go/") || strings.Contains(dir, "testdata") {
			return
		}
		seen[dir] = true
		if !regexp.MustCompile(`\b` + regexp.QuoteMeta(path.Base(dir)) + `\b`).MatchString(text) {
			t.Errorf("ARCHITECTURE.md does not name %s", dir)
		}
	})
}

// TestLinks follows the links between the documents.
func TestLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:\"\s]+)\)`)
	walk(t, func(name string) {
		if path.Ext(name) != ".md" {
			return
		}
		for _, match := range link.FindAllStringSubmatch(read(t, filepath.FromSlash(name)), -1) {
			if _, err := os.Stat(filepath.FromSlash(path.Join(path.Dir(name), match[1]))); err != nil {
				t.Errorf("%s: broken link: %v", name, err)
			}
		}
	})
}

// walk visits the files of the repository.
func walk(t *testing.T, visit func(name string)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS("."), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name == ".git" || name == "build" || name == "bin" {
				return fs.SkipDir
			}
			return nil
		}
		visit(name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
