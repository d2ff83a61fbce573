package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/airlockvm/airlock"
)

// TestTinyGuestNative checks the tiny guest against Linux itself.
func TestTinyGuestNative(t *testing.T) {
	t.Parallel()
	if runtime.GOOS+"/"+runtime.GOARCH != platformNeeded {
		t.Skipf("it is a program for %s", platformNeeded)
	}
	path := filepath.Join(t.TempDir(), "tiny")
	if err := os.WriteFile(path, tinyGuest(), 0o700); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(path).CombinedOutput()
	if err != nil || string(out) != tinyText {
		t.Errorf("tiny guest = %q, %v; want %q", out, err, tinyText)
	}
}

func TestTinyGuestLoads(t *testing.T) {
	t.Parallel()
	guest, err := airlock.NewGuest("tiny", tinyGuest())
	if err != nil {
		t.Fatal(err)
	}
	if info := guest.Info(); len(info.Segments) != 1 || info.Segments[0].Perm != "r-x" {
		t.Errorf("segments = %v; want one that is r-x", info.Segments)
	}
}

func TestBootTiny(t *testing.T) {
	t.Parallel()
	requireKVM(t)
	if err := bootTiny(t.Context()); err != nil {
		t.Errorf("bootTiny: %v; want success", err)
	}
}

// FuzzReadGoInfo feeds hostile files to what inspect does beside airlock's own
// checks.
func FuzzReadGoInfo(f *testing.F) {
	f.Add(tinyGuest())
	f.Add([]byte("\x7fELF"))
	if self, err := os.Executable(); err == nil {
		if content, err := os.ReadFile(self); err == nil {
			f.Add(content[:min(len(content), 64<<10)])
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		info := readGoInfo(content)
		guessLanguage(content, info)
		if info != nil && oneLine(info.Version) != info.Version {
			t.Errorf("Version = %q; want a printable one", info.Version)
		}
	})
}

func TestReadGoInfo(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if info := readGoInfo(content); info == nil || info.Version != runtime.Version() {
		t.Errorf("readGoInfo of this test = %+v; want version %s", info, runtime.Version())
	}
	if info := readGoInfo(tinyGuest()); info != nil {
		t.Errorf("readGoInfo of the tiny guest = %+v; want none", info)
	}
}

func TestGuessLanguage(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		content string
		golang  *goInfo
		want    string
	}{
		{"GCC: (Debian 12.2.0) 12.2.0", nil, "C"},
		{"GCC: (Debian) ... __gxx_personality_v0", nil, "C++"},
		{"GCC: (Debian) ... /rustc/f2d3ce0bd/library/std", nil, "Rust"},
		{"Debian clang version 14", nil, "C"},
		{"GCC: (x)", &goInfo{}, "Go"},
		{"nothing", nil, ""},
	} {
		if got := guessLanguage([]byte(test.content), test.golang); got != test.want {
			t.Errorf("guessLanguage(%q) = %q; want %q", test.content, got, test.want)
		}
	}
	if !bytes.Contains(tinyGuest(), []byte(tinyText)) {
		t.Error("the tiny guest lacks its text")
	}
}
