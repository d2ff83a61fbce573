package wire

import (
	"errors"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// requireFlatc skips the test where flatc is not installed or is another
// version, and fails it there in CI.
func requireFlatc(t *testing.T) {
	t.Helper()
	refuse := t.Skipf
	if os.Getenv("CI") == "true" {
		refuse = t.Fatalf
	}
	got, err := exec.Command("flatc", "--version").Output()
	if err != nil {
		refuse("needs flatc (Debian: apt-get install flatbuffers-compiler): %v", err)
	}
	want, err := os.ReadFile("fb/FLATC_VERSION")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		refuse("needs %sthe flatc here is %s", want, got)
	}
}

// TestGenerated regenerates fb and compares, file by file and both ways. What is
// there beside the code and its version is not flatc's.
func TestGenerated(t *testing.T) {
	requireFlatc(t)
	dir := filepath.Join(t.TempDir(), "fb")
	if out, err := exec.Command("./generate.sh", dir).CombinedOutput(); err != nil {
		t.Fatalf("generate.sh: %v\n%s", err, out)
	}
	got, want := filesOf(t, "fb"), filesOf(t, dir)
	for name, text := range want {
		if got[name] != text {
			t.Errorf("fb/%s is not what flatc makes of the schemas: run \"go generate ./internal/wire\"", name)
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("fb/%s is not generated: delete it", name)
		}
	}
}

func filesOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no code in %s: %v", dir, err)
	}
	files := map[string]string{}
	for _, name := range append(names, filepath.Join(dir, "FLATC_VERSION")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(name)] = string(text)
	}
	return files
}

// TestThroughFlatc has flatc, which uses the C++ library, turn messages into
// JSON and the JSON into messages again.
func TestThroughFlatc(t *testing.T) {
	requireFlatc(t)
	for _, c := range codecs() {
		t.Run(c.msg.name, func(t *testing.T) {
			dir := t.TempDir()
			schema, err := filepath.Abs(filepath.Join(schemaDir, c.msg.name+".fbs"))
			if err != nil {
				t.Fatal(err)
			}
			toJSON := []string{"--json", "--strict-json", "--defaults-json", "--size-prefixed", schema, "--"}
			toBinary := []string{"--binary", "--size-prefixed", schema}
			want := map[string]string{}
			for _, s := range c.samples {
				if strings.Contains(s.name, "float") || s.name == "params-32" {
					continue // JSON keeps neither NaNs nor the last bits
				}
				want[s.name] = describe(s.value)
				if err := os.WriteFile(filepath.Join(dir, s.name+".in"), c.mustEncode(t, s.value), 0o600); err != nil {
					t.Fatal(err)
				}
				toJSON = append(toJSON, s.name+".in")
				toBinary = append(toBinary, s.name+".json")
			}
			flatc(t, dir, toJSON...)
			flatc(t, dir, toBinary...)
			for name, want := range want {
				msg, err := os.ReadFile(filepath.Join(dir, name+".bin"))
				if err != nil {
					t.Fatal(err)
				}
				got, err := c.decode(msg)
				if err != nil {
					t.Errorf("%s: %v\n%x", name, err, msg)
				} else if got := describe(got); got != want {
					t.Errorf("%s came back as\n%swant\n%s", name, got, want)
				}
			}
		})
	}
}

func flatc(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("flatc", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("flatc %s: %v\n%s", args, err, out)
	}
}

// TestImports checks what programs that import this package get: guests carry
// it, so it stays small, and the generated code, which doesn't check anything,
// stays out of everything but tests.
func TestImports(t *testing.T) {
	allowed := []string{
		"bytes", "encoding/binary", "errors", "math", "slices", "strconv", "strings", "unicode/utf8",
		"github.com/airlockvm/airlock/internal/cpu",
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, path := range importsOf(t, file) {
			if !strings.HasSuffix(file, "_test.go") && !slices.Contains(allowed, path) {
				t.Errorf("%s imports %s", file, path)
			}
		}
	}
	err = filepath.WalkDir("../..", func(file string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // of another test, and gone by now
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "fb" || entry.Name() == "testdata" || entry.Name() == ".git"):
			return filepath.SkipDir
		case entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go"):
			return nil
		}
		for _, path := range importsOf(t, file) {
			if strings.HasSuffix(path, "internal/wire/fb") || strings.HasPrefix(path, "github.com/google/flatbuffers") {
				t.Errorf("%s imports %s, which trusts what it reads: use internal/wire", file, path)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func importsOf(t *testing.T, file string) (paths []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil // the compiler says more about it
	}
	for _, spec := range parsed.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
