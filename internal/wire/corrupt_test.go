package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"runtime"
	"testing"
)

// checkDecode decodes a message of any origin and checks everything that the
// package promises about it. It reports whether the message was accepted.
func checkDecode(tb testing.TB, c codec, msg []byte) bool {
	tb.Helper()
	before := bytes.Clone(msg)
	got, err := c.decode(msg)
	if !bytes.Equal(before, msg) {
		tb.Fatalf("decoding changed the message %.2000x", before)
	}
	if err != nil {
		checkRefusal(tb, msg, got, err)
		return false
	}
	if held := footprint(got); held > maxFootprint(len(msg)) {
		tb.Fatalf("%d bytes became %d: %.2000x", len(msg), held, msg)
	}
	want := describe(got)
	if ref := describe(c.reference(msg)); ref != want {
		tb.Fatalf("decoded\n%sthe generated code reads\n%sfrom %.2000x", want, ref, msg)
	}
	again, err := c.encode(nil, got)
	if err != nil {
		tb.Fatalf("what was accepted can't be sent: %v\n%.2000x", err, msg)
	}
	decoded, err := c.decode(again)
	if err != nil {
		tb.Fatalf("what was accepted and sent is refused: %v\n%.2000x", err, msg)
	}
	if now := describe(decoded); now != want {
		tb.Fatalf("decoded\n%ssent and decoded\n%s", want, now)
	}
	if third := c.mustEncode(tb, decoded); !bytes.Equal(third, again) {
		tb.Fatalf("encoded %x, then %.2000x", again, third)
	}
	return true
}

// maxFootprint is the most that a message of the given length may unfold to.
// The worst is a list of attributes that are empty, or of one-letter functions.
func maxFootprint(n int) int { return 4*n + 256 }

func checkRefusal(tb testing.TB, msg []byte, got any, err error) {
	tb.Helper()
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrMalformed) || errors.Is(err, ErrInvalid) {
		tb.Fatalf("odd error %#v", err)
	}
	if e.Reason == reasonInvalid || int(e.Reason) >= reasonCount || e.Reason == ErrVerifier || !errors.Is(err, e.Reason) {
		tb.Fatalf("odd reason in %#v for %.2000x", e, msg)
	}
	if e.Offset < 0 || e.Offset > len(msg) || e.Path == "" || len(err.Error()) > 250 {
		tb.Fatalf("odd error %#v for %.2000x", e, msg)
	}
	if !isZero(got) {
		tb.Fatalf("a refused message was decoded to %v", got)
	}
}

// TestEveryByte changes each byte of each sample in turn to values at the edge
// of something, and each two and four bytes to lengths and offsets at the edge
// of something, whether there is a field there or not. Every result must be
// refused, or accepted and stable.
func TestEveryByte(t *testing.T) {
	if testing.Short() {
		t.Skip("tries millions of messages; -short was given")
	}
	for _, c := range codecs() {
		t.Run(c.msg.name, func(t *testing.T) {
			tried, accepted := 0, 0
			for _, s := range c.samples {
				ours, library := c.mustEncode(t, s.value), c.build(s.value)
				for _, msg := range [][]byte{ours, library} {
					if len(msg) > 1200 {
						continue // more of the same
					}
					corruptions(msg, func(bad []byte) {
						tried++
						if checkDecode(t, c, bad) {
							accepted++
						}
					})
				}
			}
			t.Logf("%d of %d messages accepted", accepted, tried)
		})
	}
}

// corruptions calls try with many damaged copies of msg. The copy is reused.
func corruptions(msg []byte, try func(bad []byte)) {
	bad := bytes.Clone(msg)
	n := uint32(len(msg))
	for i, old := range msg {
		for _, b := range []byte{0, 1, 2, 4, 0x7f, 0x80, 0xff, old + 1, old - 1, old ^ 1, old ^ 0x80} {
			bad[i] = b
			try(bad)
		}
		bad[i] = old
	}
	for i := range len(msg) - 1 {
		for _, v := range []uint16{0, 1, 3, 4, 5, 0x7fff, 0x8000, 0xfffe, 0xffff, uint16(n)} {
			binary.LittleEndian.PutUint16(bad[i:], v)
			try(bad)
			copy(bad[i:], msg[i:i+2])
		}
	}
	for i := range len(msg) - 3 {
		rest := n - uint32(i)
		for _, v := range []uint32{
			0, 1, 4, math.MaxUint32, math.MaxUint32 - 3, 1 << 31, 1<<31 - 1, 1 << 30, n - 1, n, n + 1,
			rest - 5, rest - 4, rest - 1, rest, -uint32(i), -uint32(i) - 1,
		} {
			binary.LittleEndian.PutUint32(bad[i:], v)
			try(bad)
			copy(bad[i:], msg[i:i+4])
		}
	}
	for size := range len(msg) {
		try(msg[:size:size])
		if size >= 4 {
			short := bytes.Clone(msg[:size])
			binary.LittleEndian.PutUint32(short, uint32(size-4))
			try(short)
		}
	}
}

// TestAllocationBound measures what decoding damaged messages allocates in all,
// errors included.
func TestAllocationBound(t *testing.T) {
	for _, c := range codecs() {
		for _, s := range c.samples {
			msg := c.mustEncode(t, s.value)
			if len(msg) > 300 {
				continue
			}
			var list [][]byte
			corruptions(msg, func(bad []byte) { list = append(list, bytes.Clone(bad)) })
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			limit := uint64(0)
			for _, bad := range list {
				_, _ = c.decode(bad)
				limit += uint64(maxFootprint(len(bad)) + 512) // the error and its path
			}
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > limit {
				t.Errorf("%s/%s: %d messages made %d bytes, the bound is %d", c.msg.name, s.name, len(list), got, limit)
			}
		}
	}
}
