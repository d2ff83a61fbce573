package wire

import "strings"

// Room is memory at hand for the text of a message that is yet to come. To get it
// takes as long as much of what a short call does otherwise, so it is got while
// nothing can be done but wait. The zero Room has none and is ready for use; it must
// not be copied, nor used by several goroutines at once.
type Room struct {
	next strings.Builder
	want int // the length of the last text, or 0 if it was too long to care
}

// maxRoom is the length of the longest text that gets it.
const maxRoom = 512

// Prepare gets memory for a text as long as the last one, unless there is some.
func (r *Room) Prepare() {
	if r.next.Cap() < r.want {
		r.next = strings.Builder{}
		r.next.Grow(r.want)
	}
}

// text returns b as a string of its own. A nil Room makes one as well.
func (r *Room) text(b []byte) string {
	if r == nil || len(b) > maxRoom {
		return string(b)
	}
	r.want = len(b)
	if spare := r.next.Cap() - len(b); spare < 0 || spare > len(b) {
		return string(b) // it would waste the rest
	}
	r.next.Write(b)
	s := r.next.String()
	r.next.Reset()
	return s
}
