package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode"
	"unicode/utf16"
)

// writeJSON writes v on lines of its own, indented by indent if that is not "".
// Characters that a terminal might obey are escaped, in whatever text they are:
// encoding/json does that with those below U+0020 only.
func writeJSON(w io.Writer, v any, indent string) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	// What is not ASCII is inside of strings.
	out := make([]byte, 0, text.Len())
	for _, r := range text.String() {
		switch {
		case r < unicode.MaxASCII || unicode.IsPrint(r):
			out = append(out, string(r)...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
	}
	_, err := w.Write(out)
	return err
}
