package wire

import (
	"bytes"
	"unicode/utf8"
)

// isName reports whether the text, which is valid UTF-8 and not too long, can
// be the name of a function. A NUL would make a C program see another name than
// a Go program.
func isName(text []byte) bool { return len(text) > 0 && bytes.IndexByte(text, 0) < 0 }

// isText reports whether s is valid UTF-8. Most of what calls pass is short and
// ASCII: to see that takes two thirds of what [utf8.Valid] takes, and each echo is
// looked at twice.
func isText(s []byte) bool { return isASCII(s) || utf8.Valid(s) }

// isTextString is isText for strings.
func isTextString(s string) bool { return isASCII(s) || utf8.ValidString(s) }

// isASCII reports whether s is ASCII, if it has 16 bytes or more: the last 16 may be
// looked at twice.
func isASCII[T string | []byte](s T) bool {
	if len(s) < 16 {
		return false
	}
	bits := word(s[len(s)-16:]) | word(s[len(s)-8:])
	for len(s) >= 16 && bits&nonASCII == 0 {
		bits = word(s) | word(s[8:])
		s = s[16:]
	}
	return bits&nonASCII == 0
}

// nonASCII are the bits that no byte of ASCII has.
const nonASCII = 0x8080808080808080

// word returns the first eight bytes.
func word[T string | []byte](s T) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

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
