package test

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// binary is one guest as it was built in one way.
type binary struct {
	name   string // such as "c-musl-hello"
	path   string
	header header
	// missing says why there is no such file; empty if there is.
	missing string
}

// builtGuests builds all guests, once, and lists them.
var builtGuests = sync.OnceValues(func() ([]binary, error) {
	dir, err := buildDir("guests")
	if err != nil {
		return nil, err
	}
	if f := flag.Lookup("test.fuzzworker"); f != nil && f.Value.String() == "true" {
		return listGuests(dir) // whoever has started this process has built them
	}
	command := exec.Command("bash", "guests/build.sh", dir)
	if out, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("guests/build.sh: %w\n%s", err, out)
	}
	return listGuests(dir)
})

// sources says where the programs of each kind are.
var sources = []struct {
	kind, pattern, compiler string
	required                bool // in CI
}{
	{"go", "guests/go/*/main.go", "go", true},
	{"c-glibc", "guests/c/*.c", "gcc", true},
	{"c-pie", "guests/c/*.c", "gcc", true},
	{"c-musl", "guests/c/*.c", "musl-gcc", true},
	{"hostile", "guests/hostile/*.c", "gcc", true},
	{"rust", "guests/rust/*.rs", "rustc", false},
}

// listGuests lists what should be in the folder, by the sources.
func listGuests(dir string) ([]binary, error) {
	var list []binary
	for _, s := range sources {
		paths, err := filepath.Glob(s.pattern)
		if err != nil {
			return nil, err
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("no file matches %s", s.pattern)
		}
		for _, path := range paths {
			b, err := newBinary(dir, s.kind, path)
			if err != nil {
				return nil, err
			}
			if (s.kind == "c-pie" && !b.header.pie) || (s.kind == "c-musl" && b.header.libc == "glibc") {
				continue
			}
			if b.missing != "" && s.required && inCI() {
				return nil, fmt.Errorf("%s was not built: %s is needed in CI", b.name, s.compiler)
			}
			list = append(list, b)
		}
	}
	return list, nil
}

func newBinary(dir, kind, source string) (binary, error) {
	name := strings.TrimSuffix(filepath.Base(source), filepath.Ext(source))
	if kind == "go" {
		name = filepath.Base(filepath.Dir(source))
	}
	b := binary{name: kind + "-" + name}
	b.path = filepath.Join(dir, b.name)
	if _, err := os.Stat(b.path); errors.Is(err, fs.ErrNotExist) {
		b.missing = "it was not built; guests/build.sh says why"
	} else if err != nil {
		return b, err
	}
	var err error
	b.header, err = readHeader(source)
	return b, err
}

// guest returns one guest by its name.
func guest(tb testing.TB, name string) *airlock.Guest {
	tb.Helper()
	kvmtest.Require(tb)
	list, err := builtGuests()
	if err != nil {
		tb.Fatal(err)
	}
	for _, b := range list {
		if b.name == name && b.missing == "" {
			return load(tb, b.path)
		}
	}
	kvmtest.Skip(tb, "there is no guest "+name)
	return nil
}
