package guestmem_test

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/airlockvm/airlock/internal/guestmem"
)

// TestBoundsOfParts: what TestBounds is for CopyIn and CopyOut, for the other methods.
func TestBoundsOfParts(t *testing.T) {
	m := newMemory(t, nil)
	for _, test := range []struct {
		gpa, n uint64
		ok     bool
	}{
		{0, size, true},
		{size, 0, true},
		{size - 10, 10, true},
		{size, 1, false},
		{size - 1, 2, false},
		{size + 1, 0, false},
		{^uint64(0), 2, false},
		{1, size, false},
		{1 << 63, 1, false},
	} {
		b, err := m.Clone(test.gpa, test.n)
		if (err == nil) != test.ok || err != nil && !errors.Is(err, guestmem.ErrBounds) || test.ok && uint64(len(b)) != test.n {
			t.Errorf("Clone of %d bytes at %#x: %d bytes, %v", test.n, test.gpa, len(b), err)
		}
		called := false
		n, err := m.Put(test.gpa, test.n, func(b []byte) (int, error) {
			called = true
			if uint64(len(b)) != test.n || uint64(cap(b)) != test.n {
				t.Errorf("Put of %d bytes has %d, and room for %d", test.n, len(b), cap(b))
			}
			return 0, nil
		})
		if (err == nil) != test.ok || err != nil && !errors.Is(err, guestmem.ErrBounds) || called != test.ok || n != 0 {
			t.Errorf("Put of %d bytes at %#x: %v", test.n, test.gpa, err)
		}
		m.Claim(test.gpa, test.n) // does nothing, or nothing to see
	}
}

// TestPutIsNoted: all that Put has written is undone by Revert, and what it says that it
// has written beyond its bytes harms nobody.
func TestPutIsNoted(t *testing.T) {
	m := newMemory(t, nil)
	m.TrackWrites()
	const at = 5*guestmem.PageSize - 2
	for _, n := range []int{0, -1, 1, 2, 3, 4, 1 << 40} {
		_, _ = m.Put(at, 4, func(b []byte) (int, error) { copy(b, "abcd"); return n, errors.New("not all") })
		pages := make([]uint64, guestmem.Words(size))
		m.Written(pages)
		want := uint64(0)
		if n > 0 {
			want |= 1 << 4
		}
		if n > 2 {
			want |= 1 << 5
		}
		if pages[0] != want {
			t.Errorf("Put of %d bytes notes pages %#x, want %#x", n, pages[0], want)
		}
		for i, w := range pages[1:] {
			if w != 0 {
				t.Errorf("Put of %d bytes notes pages %#x from %d on", n, w, 64*(i+1))
			}
		}
	}
}

// TestOpenFile: runs come from a file that anybody may have made.
func TestOpenFile(t *testing.T) {
	const page = guestmem.PageSize
	content := append(bytes.Repeat([]byte{1}, page), bytes.Repeat([]byte{2}, 2*page)...)
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		t.Fatal(err)
	}
	const far = 1 << 40
	for _, row := range []struct {
		name string
		size uint64
		runs []guestmem.Run
		ok   bool
	}{
		{"one", 3 * page, []guestmem.Run{{0, 0, 3 * page}}, true},
		{"none", page, nil, true},
		{"side by side", 3 * page, []guestmem.Run{{0, 0, page}, {page, page, 2 * page}}, true},
		{"the farthest", 3 * page, []guestmem.Run{{far, 0, page}}, true},
		{"size 0", 0, nil, false},
		{"size odd", page + 1, nil, false},
		{"size huge", far + page, nil, false},
		{"run empty", page, []guestmem.Run{{0, 0, 0}}, false},
		{"run's address odd", 2 * page, []guestmem.Run{{8, 0, page}}, false},
		{"run's offset odd", 2 * page, []guestmem.Run{{0, 8, page}}, false},
		{"run's size odd", 2 * page, []guestmem.Run{{0, 0, page + 8}}, false},
		{"overlap", 3 * page, []guestmem.Run{{0, 0, 2 * page}, {page, 2 * page, page}}, false},
		{"out of order", 3 * page, []guestmem.Run{{2 * page, 0, page}, {0, page, page}}, false},
		{"too far", 3 * page, []guestmem.Run{{far + page, 0, page}}, false},
		{"too long", 3 * page, []guestmem.Run{{0, 0, 1<<64 - page}}, false},
		{"across the end", 3 * page, []guestmem.Run{{0, 2 * page, 2 * page}}, false},
		{"behind the end", 3 * page, []guestmem.Run{{0, 4 * page, page}}, false},
		{"offset that wraps", 3 * page, []guestmem.Run{{0, 1<<64 - page, page}}, false},
	} {
		f, err := guestmem.OpenFile(file, row.size, row.runs)
		if (err == nil) != row.ok {
			t.Errorf("%s: %v", row.name, err)
		}
		if err == nil {
			_ = f.Close()
		}
	}
	f, err := guestmem.OpenFile(file, 3*page, []guestmem.Run{{page, 0, page}, {4 * page, page, 2 * page}})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []byte{0, 1, 0, 0, 2, 2, 0} {
		switch b := f.Page(uint64(i) * page); {
		case want == 0 && b != nil, want != 0 && (len(b) != page || cap(b) != page || b[0] != want):
			t.Errorf("page %d: %d bytes", i, len(b))
		}
	}
	if !f.Retain() || f.Close() != nil || f.Close() != nil || f.Retain() {
		t.Error("the users of the file are counted wrongly")
	}
}
