package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

// TestProgress shows long work, and neither short work nor anything to a file.
func TestProgress(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	p := newProgress(&screen)
	if ctx := p.context(t.Context()); p.w != nil || ctx != t.Context() {
		t.Error("what is no terminal is shown something")
	}
	content := strings.NewReader("content")
	if r := p.reader("push", 7, content); r != io.Reader(content) {
		t.Error("what nobody sees is counted")
	}
	p.w = &screen
	p.show("verify", 10, 100)
	if screen.Len() > 0 {
		t.Errorf("short work is shown: %q", screen.String())
	}
	p.started = p.started.Add(-time.Minute)
	p.show("verify", 20, 100)
	p.show("write", 50, 1000)
	if text := screen.String(); !strings.Contains(text, "verify") || !strings.Contains(text, "write") {
		t.Errorf("long work is shown as %q", text)
	}
	p.show("write", 1000, 1000)
	p.close()
	if p.bar != nil {
		t.Error("the bar is left")
	}
	got, err := io.ReadAll(p.reader("push", 7, content))
	if err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestParsePlace(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]place{
		"dir":         {"dir", ""},
		"dir:v1":      {"dir", "v1"},
		"/a:b/c":      {"/a:b/c", ""},
		"/a:b/c:d":    {"/a:b/c", "d"},
		"dir:":        {"dir:", ""},
		"a:b/":        {"a:b/", ""},
		"dir:not ok":  {"dir:not ok", ""},
		"C:latest:x1": {"C:latest", "x1"},
	} {
		if got, err := parsePlace(text); err != nil || got != want {
			t.Errorf("parsePlace(%q) = %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", ":tag"} {
		if _, err := parsePlace(text); err == nil {
			t.Errorf("parsePlace(%q) is no error", text)
		}
	}
	for host, want := range map[string]bool{"localhost:5000": true, "127.0.0.1": true, "[::1]:80": true, "registry.example": false, "10.0.0.1:5000": false} {
		if isLocal(host) != want {
			t.Errorf("isLocal(%q) = %v", host, !want)
		}
	}
}
