package guestmem

import (
	"fmt"
	"os"
	"sort"
	"sync/atomic"

	"github.com/airlockvm/airlock/internal/leak"
)

// File is memory content that many buffers share: sealed, so that nobody, this
// process included, can change it. It is counted: each buffer made from it holds
// on to it, and it goes when the last of them and its maker have let go.
type File struct {
	fd       int
	view     []byte // read-only, the whole file
	runs     []Run  // by GPA
	end      uint64 // GPA behind the last run
	size     uint64
	users    atomic.Int64
	resource *leak.Resource
}

// Run is a part of memory that has content in a file: Size bytes, a multiple of
// PageSize, at GPA are those at Offset. All other memory is zero.
type Run struct{ GPA, Offset, Size uint64 }

// Piece is a part of a file's content.
type Piece struct {
	Offset uint64
	Data   []byte
}

// NewFile makes a file of the given size, a multiple of PageSize, that holds the
// pieces and zeros between them. It is the content of memory from GPA 0 up.
func NewFile(name string, size uint64, pieces []Piece) (*File, error) {
	return newFile(name, size, pieces, []Run{{0, 0, size}})
}

func newFile(name string, size uint64, pieces []Piece, runs []Run) (*File, error) {
	if size%PageSize != 0 || size > maxSize || size == 0 {
		return nil, fmt.Errorf("guestmem: invalid size %#x of a file", size)
	}
	for _, p := range pieces {
		if p.Offset > size || uint64(len(p.Data)) > size-p.Offset {
			return nil, fmt.Errorf("%w: a piece of %d bytes at %#x of a file", ErrBounds, len(p.Data), p.Offset)
		}
	}
	fd, err := sealedFile(name, size, pieces)
	if err != nil {
		return nil, err
	}
	return openFile(fd, size, runs)
}

// OpenFile makes a file of one that somebody has opened for reading, and who may
// close it afterwards. Its content must never change: if it becomes shorter, to
// read what is missing ends the process. The runs must be in order and not
// overlap.
func OpenFile(file *os.File, size uint64, runs []Run) (*File, error) {
	if size%PageSize != 0 || size > maxSize || size == 0 {
		return nil, fmt.Errorf("guestmem: invalid size %#x of a file", size)
	}
	end := uint64(0)
	for _, r := range runs {
		switch {
		case r.Size == 0 || (r.GPA|r.Offset|r.Size)%PageSize != 0:
			return nil, fmt.Errorf("guestmem: a run of %#x bytes at %#x is not whole pages", r.Size, r.GPA)
		case r.GPA < end || r.GPA > maxSize || r.Size > maxSize:
			return nil, fmt.Errorf("guestmem: a run at %#x is out of order or out of range", r.GPA)
		case r.Offset > size || r.Size > size-r.Offset:
			return nil, fmt.Errorf("%w: a run of %#x bytes at %#x of a file of %#x", ErrBounds, r.Size, r.Offset, size)
		}
		end = r.GPA + r.Size
	}
	fd, err := duplicate(file)
	if err != nil {
		return nil, err
	}
	return openFile(fd, size, runs)
}

func openFile(fd int, size uint64, runs []Run) (*File, error) {
	view, err := viewFile(fd, size)
	if err != nil {
		_ = closeFile(fd)
		return nil, err
	}
	f := &File{fd: fd, size: size, view: view, runs: runs, resource: leak.Open("memory file")}
	if n := len(runs); n > 0 {
		f.end = runs[n-1].GPA + runs[n-1].Size
	}
	f.users.Store(1)
	return f, nil
}

// Size returns the number of bytes, a multiple of PageSize.
func (f *File) Size() uint64 { return f.size }

// Runs returns which parts of memory the file holds. The caller must not change
// the list.
func (f *File) Runs() []Run { return f.runs }

// Bytes returns the content, which the caller must not change and not use after
// Close.
func (f *File) Bytes() []byte { return f.view }

// Page returns the content of the page of memory at gpa, or nil if it is zero.
// The caller must not change it.
func (f *File) Page(gpa uint64) []byte {
	i := sort.Search(len(f.runs), func(i int) bool { return f.runs[i].GPA > gpa }) - 1
	if i < 0 || gpa-f.runs[i].GPA >= f.runs[i].Size {
		return nil
	}
	offset := f.runs[i].Offset + gpa - f.runs[i].GPA
	return f.view[offset : offset+PageSize : offset+PageSize]
}

// Retain adds a user, who will call Close. It reports false if the file is gone.
func (f *File) Retain() bool {
	for {
		n := f.users.Load()
		if n == 0 {
			return false
		}
		if f.users.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Close lets go of the file. The last one who does ends it.
func (f *File) Close() error {
	if f.users.Add(-1) != 0 {
		return nil
	}
	f.resource.Close()
	if err := release(f.view); err != nil {
		_ = closeFile(f.fd)
		return err
	}
	return closeFile(f.fd)
}
