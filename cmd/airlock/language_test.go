package main

import (
	"os"
	"runtime/debug"
	"testing"
)

// FuzzReadGoInfo feeds hostile files to what inspect does beside the library's
// own checks.
func FuzzReadGoInfo(f *testing.F) {
	f.Add(tinyGuest())
	if self, err := os.Executable(); err == nil {
		if content, err := os.ReadFile(self); err == nil {
			f.Add(content[:min(len(content), 4<<10)])
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		info := readGoInfo(content)
		guessLanguage(content, info)
		if info != nil && (oneLine(info.Version) != info.Version || oneLine(info.Package) != info.Package) {
			t.Errorf("readGoInfo = %+q; want printable texts", info)
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
	want, ok := debug.ReadBuildInfo()
	if !ok {
		t.Fatal("this test has no build information")
	}
	if info := readGoInfo(content); info == nil || info.Version != want.GoVersion || info.Package != want.Path {
		t.Errorf("readGoInfo of this test = %+v; want %s, %s", info, want.GoVersion, want.Path)
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
}
