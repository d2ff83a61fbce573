package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode"
)

// TestWriteJSON: nothing that a terminal could obey is written, and what is read from
// it is what it was.
func TestWriteJSON(t *testing.T) {
	t.Parallel()
	for _, indent := range []string{"", "  "} {
		want := map[string]string{"a\u009bb\x1b": "\x7f\u202e\u2028é🙂\U000e0001\"\\\n<&>"}
		var out bytes.Buffer
		if err := writeJSON(&out, want, indent); err != nil {
			t.Fatal(err)
		}
		for _, r := range out.String() {
			if !unicode.IsPrint(r) && r != '\n' {
				t.Errorf("%q has %U", out.String(), r)
			}
		}
		var got map[string]string
		if err := json.Unmarshal(out.Bytes(), &got); err != nil || got["a\u009bb\x1b"] != want["a\u009bb\x1b"] {
			t.Errorf("%q, %v", got, err)
		}
	}
}
