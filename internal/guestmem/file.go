package guestmem

import (
	"fmt"
	"sync"

	"github.com/airlockvm/airlock/internal/leak"
)

// File is memory content that many buffers share: sealed, so that nobody, this
// process included, can change it.
type File struct {
	fd       int
	size     uint64
	resource *leak.Resource

	closeOnce sync.Once
	closeErr  error
}

// Piece is a part of a file's content.
type Piece struct {
	Offset uint64
	Data   []byte
}

// NewFile makes a file of the given size, a multiple of PageSize, that holds the
// pieces and zeros between them.
func NewFile(name string, size uint64, pieces []Piece) (*File, error) {
	if size%PageSize != 0 || size > maxSize {
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
	return &File{fd: fd, size: size, resource: leak.Open("memory file")}, nil
}

// Size returns the number of bytes, a multiple of PageSize.
func (f *File) Size() uint64 { return f.size }

// Close closes the file. Buffers that were made from it stay as they are.
func (f *File) Close() error {
	f.closeOnce.Do(func() {
		f.closeErr = closeFile(f.fd)
		f.resource.Close()
	})
	return f.closeErr
}
