package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// goInfoBytes makes what the linker leaves.
func goInfoBytes(version, text string) []byte {
	mark := strings.Repeat("m", goMarkSize)
	text = mark + text + mark
	b := append([]byte(goMagic), 8, goFormStrings)
	b = append(b, make([]byte, goStrings-len(b))...)
	b = append(binary.AppendUvarint(b, uint64(len(version))), version...)
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// FuzzReadGoInfo feeds hostile files to what inspect reads itself.
func FuzzReadGoInfo(f *testing.F) {
	f.Add(tinyGuest())
	f.Add(goInfoBytes("go1.26.1", "path\texample.com/x\n"))
	f.Add(goInfoBytes("", ""))
	f.Add(bytes.Repeat([]byte(goMagic+"\x08\x02"), 20))
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
	good := goInfoBytes("go1.26.1", "path\texample.com/x\n")
	for _, test := range []struct {
		name    string
		content []byte
		want    goInfo // empty for none
	}{
		{"good", good, goInfo{"go1.26.1", "example.com/x"}},
		{"later in the file", append(make([]byte, 32), good...), goInfo{"go1.26.1", "example.com/x"}},
		{"after a quotation of it", append([]byte(goMagic+"  "), good...), goInfo{"go1.26.1", "example.com/x"}},
		{"unaligned", append(make([]byte, 8), good...), goInfo{}},
		{"no text", good[:goStrings+9], goInfo{Version: "go1.26.1"}},
		{"cut version", good[:goStrings+4], goInfo{}},
		{"cut header", good[:20], goInfo{}},
		{"control characters", goInfoBytes("go\x1b[2J", "path\ta\x07\n"), goInfo{`go\x1b[2J`, `a\a`}},
		{"no version", goInfoBytes("", "path\tx\n"), goInfo{}},
		{"long version", goInfoBytes(strings.Repeat("v", goMaxVersion+1), ""), goInfo{}},
	} {
		got := readGoInfo(test.content)
		if got == nil {
			got = &goInfo{}
		}
		if *got != test.want {
			t.Errorf("%s: readGoInfo = %+q; want %+q", test.name, *got, test.want)
		}
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
