package main

import (
	"bytes"
	"encoding/binary"
	"runtime/debug"
)

// goInfo is what a Go program says about itself.
//
// Guest-controlled: all of it.
type goInfo struct {
	Version string `json:"version"`
	Package string `json:"package,omitempty"`
}

// How the linker leaves what the go command knows of a program, since Go 1.18: a
// magic text at an aligned place, a byte that tells the form, and from byte 32
// on two strings, each after its length: Go's version, and the text that
// debug.ParseBuildInfo reads, between two marks.
const (
	goMagic       = "\xff Go buildinf:"
	goAlign       = 16
	goFormOffset  = 15
	goFormStrings = 2
	goStrings     = 32
	goMarkSize    = 16

	goMaxVersion    = 200
	goMaxText       = 1 << 20
	goMaxCandidates = 16
)

// readGoInfo returns what the go command left in a program, or nil. The standard
// library's debug/buildinfo does the same for files that are trusted: with
// hostile ones it can take for ever, which fuzzing showed.
//
// Guest-controlled: content.
func readGoInfo(content []byte) *goInfo {
	offset := 0
	for range goMaxCandidates {
		found := bytes.Index(content[offset:], []byte(goMagic))
		if found < 0 {
			return nil
		}
		offset += found
		if info := parseGoInfo(content[offset:]); info != nil && offset%goAlign == 0 {
			return info
		}
		offset += len(goMagic)
	}
	return nil
}

// parseGoInfo parses what begins with goMagic.
func parseGoInfo(b []byte) *goInfo {
	if len(b) < goStrings || b[goFormOffset]&goFormStrings == 0 {
		return nil
	}
	version, rest, ok := cutString(b[goStrings:], goMaxVersion)
	if !ok || len(version) == 0 {
		return nil
	}
	info := &goInfo{Version: clip(string(version))}
	text, _, ok := cutString(rest, goMaxText)
	if !ok || len(text) < 2*goMarkSize {
		return info
	}
	if build, err := debug.ParseBuildInfo(string(text[goMarkSize : len(text)-goMarkSize])); err == nil {
		info.Package = clip(build.Path)
	}
	return info
}

// cutString cuts a string with its length before it from the start of b.
func cutString(b []byte, most uint64) (s, rest []byte, ok bool) {
	length, n := binary.Uvarint(b)
	if n <= 0 || length > most || length > uint64(len(b)-n) {
		return nil, nil, false
	}
	b = b[n:]
	return b[:length], b[length:], true
}

// languageMarks are what compilers and run-time libraries leave in a program.
// The first one found counts: Rust programs hold parts that GCC made.
//
//nolint:gochecknoglobals // a constant table
var languageMarks = []struct{ mark, language string }{
	{"/rustc/", "Rust"},
	{"rustc version ", "Rust"},
	{"__gxx_personality_v0", "C++"},
	{"GCC: (", "C"},
	{"clang version ", "C"},
}

// guessLanguage returns the language that a program was probably written in, or
// "" for no idea.
//
// Guest-controlled: content.
func guessLanguage(content []byte, golang *goInfo) string {
	if golang != nil {
		return "Go"
	}
	for _, m := range languageMarks {
		if bytes.Contains(content, []byte(m.mark)) {
			return m.language
		}
	}
	return ""
}
