package wire

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestRoom: text is what it was, in the memory that was prepared if that suits.
func TestRoom(t *testing.T) {
	var r Room
	long := []byte(strings.Repeat("0123456789abcdef", 4))
	if n := testing.AllocsPerRun(100, func() {
		r.Prepare()
		if r.text(long) != string(long) {
			t.Error("another text")
		}
	}); n != 1 {
		t.Errorf("%v objects for a text that was prepared for", n)
	}
	r.Prepare()
	if n := testing.AllocsPerRun(1, func() { r.text(long) }); n != 1 {
		t.Errorf("%v objects for a text, and the same with the room used up", n)
	}

	var texts, want []string
	for _, size := range []int{64, 60, 3, 0, 64, 500, 512, 513, 100_000, 64, 1, 512, 300, 64} {
		r.Prepare()
		text := []byte(strings.Repeat("x", size))
		texts, want = append(texts, r.text(text)), append(want, string(text))
		clear(text) // it is the message's, which is overwritten by the next
	}
	if !slices.Equal(texts, want) {
		t.Errorf("got %q", texts)
	}
	if r.next.Cap() > 2*maxRoom || r.want > maxRoom {
		t.Errorf("%d bytes are kept for %d", r.next.Cap(), r.want)
	}
	if s := (*Room)(nil).text(long); s != string(long) {
		t.Errorf("without a room: %q", s)
	}
}

// TestIsText compares isText with the general way: for each length, with each byte
// in turn being no ASCII, or a part of a character.
func TestIsText(t *testing.T) {
	t.Parallel()
	for size := range 70 {
		s := []byte(strings.Repeat("a", size))
		for at := -1; at < size; at++ {
			for _, insert := range []string{"", "\x80", "\xff", "é", "€", "🙂", "\xed\xa0\x80", "\x7f"} {
				b := slices.Clone(s)
				copy(b[max(at, 0):], insert)
				want := utf8.Valid(b)
				if isText(b) != want || isTextString(string(b)) != want {
					t.Fatalf("%q is text: %v", b, !want)
				}
			}
		}
	}
}

// BenchmarkIsText compares isText with the general way.
func BenchmarkIsText(b *testing.B) {
	text := strings.Repeat("0123456789abcdef", 4)
	for name, check := range map[string]func(string) bool{"utf8": utf8.ValidString, "isText": isTextString} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if !check(text) {
					b.Fatal("no text")
				}
			}
		})
	}
}
