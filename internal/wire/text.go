package wire

import (
	"bytes"
	"unicode/utf8"

	"github.com/airlockvm/airlock/internal/cpu"
)

// isName reports whether the text, which is valid UTF-8 and not too long, can
// be the name of a function. A NUL would make a C program see another name than
// a Go program.
func isName(text []byte) bool { return len(text) > 0 && bytes.IndexByte(text, 0) < 0 }

// isText reports whether s is valid UTF-8. Most of what calls pass is short and
// ASCII: to see that takes a fraction of what [utf8.Valid] takes, and each echo is
// looked at twice.
func isText(s []byte) bool { return cpu.IsASCII(s) || utf8.Valid(s) }

// isTextString is isText for strings.
func isTextString(s string) bool { return cpu.IsASCIIString(s) || utf8.ValidString(s) }

const ellipsis = "…"

// clean returns s as valid UTF-8 of at most limit bytes: s itself if it is that
// already.
func clean(s string, limit int) string {
	if len(s) <= limit && isTextString(s) {
		return s
	}
	out := make([]byte, 0, limit)
	keep := 0 // what of out leaves room for the ellipsis
	for _, r := range s {
		// Ranging gives U+FFFD for each byte that is not part of a character.
		if len(out)+utf8.RuneLen(r) > limit {
			return string(append(out[:keep], ellipsis...))
		}
		out = utf8.AppendRune(out, r)
		if len(out) <= limit-len(ellipsis) {
			keep = len(out)
		}
	}
	return string(out)
}
