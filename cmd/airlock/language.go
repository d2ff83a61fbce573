package main

import (
	"bytes"
	"debug/buildinfo"
)

// goInfo is what a Go program says about itself.
//
// Guest-controlled: all of it.
type goInfo struct {
	Version string `json:"version"`
	Package string `json:"package,omitempty"`
}

// readGoInfo returns what the go command left in a program, or nil.
//
// Guest-controlled: content. debug/buildinfo promises little about hostile files,
// so if one should make it panic, it is no Go program.
func readGoInfo(content []byte) (found *goInfo) {
	defer func() {
		if recover() != nil {
			found = nil
		}
	}()
	info, err := buildinfo.Read(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	return &goInfo{Version: clip(info.GoVersion), Package: clip(info.Path)}
}

// languageMarks are what compilers and run-time libraries leave in a program.
// The first one found counts: Rust programs hold parts that GCC made.
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
