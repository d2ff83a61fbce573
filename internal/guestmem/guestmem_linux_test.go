package guestmem_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestMain(m *testing.M) { kvmtest.Main(m) }

const size = 2 * guestmem.Alignment

func newFile(t *testing.T, content []byte) *guestmem.File {
	t.Helper()
	f, err := guestmem.NewFile("test", pages(len(content)), []guestmem.Piece{{Data: content}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// pages rounds up to whole pages.
func pages(n int) uint64 { return (uint64(n) + guestmem.PageSize - 1) &^ (guestmem.PageSize - 1) }

func newMemory(t *testing.T, image *guestmem.File) *guestmem.Memory {
	t.Helper()
	m, err := guestmem.New(size, image)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// content returns all of the memory.
func content(t *testing.T, m *guestmem.Memory) []byte {
	t.Helper()
	b := make([]byte, m.Size())
	if err := m.CopyOut(b, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestImageIsSharedCopyOnWrite(t *testing.T) {
	image := bytes.Repeat([]byte("image!"), 2000) // not a whole number of pages
	f := newFile(t, image)
	want := make([]byte, size)
	copy(want, image)

	a, b := newMemory(t, f), newMemory(t, f)
	if !bytes.Equal(content(t, a), want) || !bytes.Equal(content(t, b), want) {
		t.Fatal("the memory isn't image and zeros")
	}
	if err := a.CopyIn(100, []byte("changed")); err != nil {
		t.Fatal(err)
	}
	if err := a.CopyIn(size-1, []byte{1}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, b), want) {
		t.Error("a write to one memory shows in another")
	}
	if bytes.Equal(content(t, a), want) {
		t.Error("the write was lost")
	}
	if err := a.Reset(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, a), want) {
		t.Error("Reset does not bring back image and zeros")
	}
	// The memory outlives the file's descriptor.
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := a.CopyIn(0, []byte("changed")); err != nil {
		t.Fatal(err)
	}
	if err := a.Reset(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, a), want) {
		t.Error("Reset after the file was closed")
	}
}

func TestPieces(t *testing.T) {
	f, err := guestmem.NewFile("test", 3*guestmem.PageSize, []guestmem.Piece{
		{100, []byte("first")},
		{2*guestmem.PageSize - 2, []byte("over a page's end")},
		{3 * guestmem.PageSize, nil},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	want := make([]byte, size)
	copy(want[100:], "first")
	copy(want[2*guestmem.PageSize-2:], "over a page's end")
	if !bytes.Equal(content(t, newMemory(t, f)), want) {
		t.Error("the memory isn't made of the pieces")
	}
	for _, bad := range []struct {
		size  uint64
		piece guestmem.Piece
	}{
		{1, guestmem.Piece{}},
		{1 << 50, guestmem.Piece{}},
		{4096, guestmem.Piece{Offset: 4097}},
		{4096, guestmem.Piece{Offset: 4095, Data: []byte("xy")}},
		{4096, guestmem.Piece{Offset: 1<<64 - 1, Data: []byte("xy")}},
	} {
		if f, err := guestmem.NewFile("test", bad.size, []guestmem.Piece{bad.piece}); err == nil {
			_ = f.Close()
			t.Errorf("NewFile(%d, %+v) succeeded", bad.size, bad.piece)
		}
	}
}

func TestSizes(t *testing.T) {
	f := newFile(t, make([]byte, guestmem.Alignment+1))
	for _, test := range []struct {
		size  uint64
		image *guestmem.File
	}{
		{0, nil},
		{guestmem.PageSize, nil},
		{size + 1, nil},
		{1 << 63, nil},
		{^uint64(0) &^ (guestmem.Alignment - 1), nil},
		{guestmem.Alignment, f},
	} {
		if m, err := guestmem.New(test.size, test.image); err == nil {
			_ = m.Close()
			t.Errorf("New(%#x) succeeded", test.size)
		}
	}
	m := newMemory(t, f)
	if m.Size() != size || m.HostAddr()%guestmem.Alignment != 0 {
		t.Errorf("%d bytes at %#x", m.Size(), m.HostAddr())
	}
}

func TestBounds(t *testing.T) {
	m := newMemory(t, nil)
	for _, test := range []struct {
		gpa, n uint64
		ok     bool
	}{
		{0, 0, true},
		{0, 1, true},
		{size - 1, 1, true},
		{size, 0, true},
		{0, size, true},
		{size - 10, 10, true},
		{size, 1, false},
		{size - 1, 2, false},
		{size + 1, 0, false},
		{^uint64(0), 1, false},
		{^uint64(0), 2, false},
		{1, size, false},
		{1 << 63, 1, false},
	} {
		b := make([]byte, test.n)
		for name, err := range map[string]error{"CopyIn": m.CopyIn(test.gpa, b), "CopyOut": m.CopyOut(b, test.gpa)} {
			if (err == nil) != test.ok || err != nil && !errors.Is(err, guestmem.ErrBounds) {
				t.Errorf("%s of %d bytes at %#x: %v", name, test.n, test.gpa, err)
			}
		}
	}
	for _, gpa := range []uint64{size - 2, size, 1, 2, 3, ^uint64(3)} {
		if _, err := m.Word32(gpa); err == nil {
			t.Errorf("Word32(%#x) succeeded", gpa)
		}
	}
	for _, gpa := range []uint64{size - 4, size, 1, 4, ^uint64(7)} {
		if _, err := m.Word64(gpa); err == nil {
			t.Errorf("Word64(%#x) succeeded", gpa)
		}
	}
	if err := m.Prefault(size, 1); !errors.Is(err, guestmem.ErrBounds) {
		t.Errorf("Prefault outside: %v", err)
	}
}

func TestWords(t *testing.T) {
	m := newMemory(t, nil)
	w, err := m.Word32(size - 4)
	if err != nil {
		t.Fatal(err)
	}
	w.Store(0x11223344)
	w.Or(0xff)
	q, err := m.Word64(size - 8)
	if err != nil {
		t.Fatal(err)
	}
	if got := q.Load(); got != 0x112233ff<<32 || w.Load() != 0x112233ff {
		t.Errorf("words are %#x and %#x", got, w.Load())
	}
	q.Store(7)
	var b [8]byte
	if err := m.CopyOut(b[:], size-8); err != nil || b != [8]byte{7} {
		t.Errorf("bytes are %x, %v", b, err)
	}
}

func TestPreferLargePages(t *testing.T) {
	m := newMemory(t, newFile(t, []byte("image")))
	for _, r := range []struct{ start, end uint64 }{
		{0, 0}, {1, size}, {guestmem.Alignment, size}, {guestmem.Alignment + 1, size}, {size, size},
	} {
		if err := m.PreferLargePages(r.start, r.end); err != nil {
			t.Errorf("PreferLargePages(%#x, %#x): %v", r.start, r.end, err)
		}
	}
	if err := m.PreferLargePages(0, size+guestmem.Alignment); !errors.Is(err, guestmem.ErrBounds) {
		t.Errorf("outside: %v", err)
	}
	want := content(t, m)
	if err := m.CopyIn(guestmem.Alignment, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if err := m.Reset(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(content(t, m), want) {
		t.Error("Reset of large pages")
	}
}

// TestCaptureSparse: however pages lie, a snapshot of them has few runs, and all pages.
func TestCaptureSparse(t *testing.T) {
	const size = 16 << 20
	for name, step := range map[string]uint64{"dense": 1, "close": 20, "just too far": 34, "far": 200, "a few": 500} {
		t.Run(name, func(t *testing.T) {
			m, err := guestmem.New(size, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close() //nolint:errcheck // it is checked elsewhere
			for page := step / 2; page < size/guestmem.PageSize; page += step {
				if err := m.CopyIn(page*guestmem.PageSize+page%guestmem.PageSize, []byte{byte(page) | 1}); err != nil {
					t.Fatal(err)
				}
			}
			f, err := m.Capture("test")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close() //nolint:errcheck // it is checked elsewhere
			if n := len(f.Runs()); n > guestmem.MaxRuns || f.Size() > size {
				t.Errorf("%d runs, %d bytes", n, f.Size())
			}
			clone, err := guestmem.New(size, f)
			if err != nil {
				t.Fatal(err)
			}
			defer clone.Close() //nolint:errcheck // it is checked elsewhere
			want, got := make([]byte, size), make([]byte, size)
			if err := errors.Join(m.CopyOut(want, 0), clone.CopyOut(got, 0)); err != nil || !bytes.Equal(want, got) {
				t.Errorf("the copy differs, %v", err)
			}
		})
	}
}

// TestGuards proves that the memory is surrounded by what can't be accessed.
func TestGuards(t *testing.T) {
	m := newMemory(t, newFile(t, []byte("image")))
	if err := m.Prefault(0, size); err != nil {
		t.Fatal(err)
	}
	for _, offset := range []int{-guestmem.Guard, -1, size, size + guestmem.Guard - 1} {
		if !faults(m, offset) {
			t.Errorf("no fault at offset %d", offset)
		}
	}
	if faults(m, 0) || faults(m, size-1) {
		t.Error("a fault inside")
	}
}

// TestSealed proves that nobody can change an image: not even through the file
// descriptor that this process has.
func TestSealed(t *testing.T) {
	f := newFile(t, []byte("image"))
	m := newMemory(t, f)
	paths, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip(err)
	}
	found := false
	for _, p := range paths {
		link, _ := os.Readlink("/proc/self/fd/" + p.Name())
		if !strings.HasPrefix(link, "/memfd:test") {
			continue
		}
		found = true
		w, err := os.OpenFile("/proc/self/fd/"+p.Name(), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if _, err := w.WriteAt([]byte("X"), 0); err == nil {
			t.Error("the image can be written to")
		}
		if err := w.Truncate(1 << 20); err == nil {
			t.Error("the image can grow")
		}
		if err := w.Truncate(0); err == nil {
			t.Error("the image can shrink")
		}
		_ = w.Close()
	}
	if !found {
		t.Error("no memfd found")
	}
	if got := content(t, m); !bytes.HasPrefix(got, []byte("image\x00")) {
		t.Errorf("content %q", got[:8])
	}
}

// TestRandomAccess compares with a plain byte slice.
func TestRandomAccess(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	image := make([]byte, 50000)
	for i := range image {
		image[i] = byte(r.Uint32())
	}
	m := newMemory(t, newFile(t, image))
	initial := make([]byte, size)
	copy(initial, image)
	model := slices.Clone(initial)
	for range 300 {
		if r.IntN(30) == 0 {
			if err := m.Reset(); err != nil {
				t.Fatal(err)
			}
			copy(model, initial)
		}
		gpa := r.Uint64N(size)
		b := make([]byte, r.Uint64N(min(size-gpa, 20000))+1)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if err := m.CopyIn(gpa, b); err != nil {
			t.Fatal(err)
		}
		copy(model[gpa:], b)
	}
	if !bytes.Equal(content(t, m), model) {
		t.Error("memory differs from the model")
	}
}

func TestCloseTwice(t *testing.T) {
	f, err := guestmem.NewFile("test", pages(1), nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := guestmem.New(size, f)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(m.Close(), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if m.Size() != 0 {
		t.Error("memory after Close")
	}
	if err := m.CopyIn(0, []byte{1}); !errors.Is(err, guestmem.ErrBounds) {
		t.Errorf("CopyIn after Close: %v", err)
	}
}

// faults reports whether reading the host's memory at an offset from the
// buffer's start faults.
func faults(m *guestmem.Memory, offset int) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			fault = true
		}
	}()
	_ = guestmem.Peek(m, offset)
	return false
}
