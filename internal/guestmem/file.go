package guestmem

import (
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

// NewFile makes a file of the content, padded with zeros to whole pages.
func NewFile(name string, content []byte) (*File, error) {
	size := (len(content) + PageSize - 1) &^ (PageSize - 1)
	fd, err := sealedFile(name, content, size)
	if err != nil {
		return nil, err
	}
	return &File{fd: fd, size: uint64(size), resource: leak.Open("memory file")}, nil //nolint:gosec // G115: a length
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
