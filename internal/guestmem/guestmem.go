// Package guestmem holds the memory of guests: one buffer for each, between
// guard regions, and the only code that touches it.
//
// A guest may change any byte of its memory at any moment, from its own
// processor. So nothing here hands out a slice of it: bytes are copied out,
// once, and what is done with them is done with the copy. The few words that
// host and guest both watch are loaded and stored atomically. Every access is
// checked against the buffer's bounds.
package guestmem

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/airlockvm/airlock/internal/cpu"
	"github.com/airlockvm/airlock/internal/leak"
)

// PageSize is the unit of mappings.
const PageSize = 4096

// Alignment is that of a buffer's host address and the unit of its size: 2 MiB,
// so that the host may back it with large pages and the processor may map it
// with them.
const Alignment = 2 << 20

// Guard is the size of the inaccessible regions before and behind a buffer.
//
// The bounds checks of this package are what keeps accesses inside; the guards
// turn a mistake in them into a crash instead of a read of somebody else's
// memory. One alignment unit is more than any message is long by default and
// costs nothing but address space.
const Guard = Alignment

// ErrBounds means that an access does not lie in the buffer.
var ErrBounds = errors.New("guestmem: access outside guest memory")

// Memory is the memory of one guest, guest-physical addresses 0 to Size. The
// methods that copy, load and store may be called concurrently; none may be
// called after Close.
type Memory struct {
	reserved []byte // the whole reservation with its guards
	buf      []byte // the buffer in it
	content  *File  // what it was made from, or nil
	// writtenWords are the indexes of those words of written that aren't zero.
	writtenWords []uint64
	written      []uint64 // by page: CopyIn wrote to it; nil if nobody wants to know
	resource     *leak.Resource

	closeOnce sync.Once
	closeErr  error
}

// New makes a buffer of the given size, a multiple of Alignment. It holds what
// the file says, which may be nil, shared with every other buffer of that file
// until written to; the rest is zero.
func New(size uint64, content *File) (*Memory, error) {
	if size == 0 || size%Alignment != 0 || size > maxSize {
		return nil, fmt.Errorf("guestmem: invalid size %#x", size)
	}
	reserved, start, err := reserve(int(size))
	if err != nil {
		return nil, err
	}
	m := &Memory{
		reserved: reserved,
		buf:      reserved[start : start+int(size) : start+int(size)],
		resource: leak.Open("guest memory"),
	}
	if content != nil {
		if err := m.hold(content); err != nil {
			_ = m.Close()
			return nil, err
		}
	}
	return m, nil
}

// Remap makes the buffer what New would have made of the file, whatever it was.
func (m *Memory) Remap(content *File) error {
	if err := mapZero(m.buf); err != nil {
		return err
	}
	clear(m.written)
	m.writtenWords = m.writtenWords[:0]
	if m.content != nil {
		_ = m.content.Close() // the others of it keep what they have
		m.content = nil
	}
	return m.hold(content)
}

// hold maps the file's runs into a buffer that is all zero.
func (m *Memory) hold(content *File) error {
	if content.end > m.Size() {
		return fmt.Errorf("guestmem: content up to %#x does not fit into %#x bytes", content.end, m.Size())
	}
	if !content.Retain() {
		return errors.New("guestmem: the file is closed")
	}
	m.content = content
	for _, r := range content.runs {
		if err := mapFile(m.buf[r.GPA:r.GPA+r.Size], content.fd, r.Offset); err != nil {
			return err
		}
	}
	return nil
}

// maxSize is far more than a machine may have, and far from overflow.
const maxSize = 1 << 40

// Close unmaps the buffer. No virtual machine may still use it.
func (m *Memory) Close() error {
	m.closeOnce.Do(func() {
		m.closeErr = release(m.reserved)
		m.buf = nil
		if m.content != nil {
			m.closeErr = errors.Join(m.closeErr, m.content.Close())
		}
		m.resource.Close()
	})
	return m.closeErr
}

// Size returns the number of bytes.
func (m *Memory) Size() uint64 { return uint64(len(m.buf)) }

// HostAddr returns the buffer's address, for the hypervisor. Nothing else may
// use it.
func (m *Memory) HostAddr() uint64 {
	return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m.buf))))
}

// Reset brings the buffer back to what New made, by dropping all pages that
// were written to.
func (m *Memory) Reset() error { return discard(m.buf) }

// Prefault makes the pages of a range present and private, in one go: cheaper
// than a fault for each when it is known that they will be written.
func (m *Memory) Prefault(gpa, size uint64) error {
	b, ok := m.slice(gpa, size)
	if !ok {
		return m.outside(gpa, size)
	}
	return populate(b)
}

// PreferLargePages asks the host to back a range with pages of Alignment bytes,
// each of which costs one fault at its first touch instead of 512. Only whole
// ones in the range count, and none that holds a part of the image. It is a wish:
// where the host has no such pages, nothing changes.
func (m *Memory) PreferLargePages(start, end uint64) error {
	start = (start + Alignment - 1) &^ (Alignment - 1)
	end &^= Alignment - 1
	if start >= end {
		return nil
	}
	b, ok := m.slice(start, end-start)
	if !ok {
		return m.outside(start, end-start)
	}
	return preferLarge(b)
}

// slice returns the bytes at a guest-physical address, or false if they don't lie in
// the buffer. It must not leave this package. The error is that of outside, so that
// this is compiled into its callers.
func (m *Memory) slice(gpa, size uint64) (b []byte, ok bool) {
	if gpa > m.Size() || size > m.Size()-gpa {
		return nil, false
	}
	return m.buf[gpa : gpa+size : gpa+size], true
}

func (m *Memory) outside(gpa, size uint64) error {
	return fmt.Errorf("%w: %#x bytes at %#x of %#x", ErrBounds, size, gpa, m.Size())
}

// CopyOut copies len(dst) bytes out of guest memory.
//
// Guest-controlled: what arrives in dst; and bytes that are read twice may
// differ.
func (m *Memory) CopyOut(dst []byte, gpa uint64) error {
	b, ok := m.slice(gpa, uint64(len(dst)))
	if !ok {
		return m.outside(gpa, uint64(len(dst)))
	}
	copy(dst, b)
	return nil
}

// CopyIn copies src into guest memory.
func (m *Memory) CopyIn(gpa uint64, src []byte) error {
	b, ok := m.slice(gpa, uint64(len(src)))
	if !ok {
		return m.outside(gpa, uint64(len(src)))
	}
	copy(b, src)
	if m.written != nil && len(src) > 0 {
		m.noteWrite(gpa, uint64(len(src)))
	}
	return nil
}

// Clone copies bytes out of guest memory to memory of their own.
//
// Guest-controlled: what arrives.
func (m *Memory) Clone(gpa, size uint64) ([]byte, error) {
	b, ok := m.slice(gpa, size)
	if !ok {
		return nil, m.outside(gpa, size)
	}
	return append([]byte(nil), b...), nil // which spares the zeros that make would write first
}

// Claim begins to get memory into the processor's cache that is about to be
// written, and that a guest on another processor has read, as [cpu.Claim] says.
func (m *Memory) Claim(gpa, size uint64) {
	if b, ok := m.slice(gpa, size); ok {
		cpu.Claim(b)
	}
}

// Put lets a function write to guest memory, up to size bytes from an address on,
// and returns what it does: how many bytes, or an error. It must not keep the
// slice, nor read from it, because the guest can change it at any time.
func (m *Memory) Put(gpa, size uint64, write func(b []byte) (int, error)) (int, error) {
	b, ok := m.slice(gpa, size)
	if !ok {
		return 0, m.outside(gpa, size)
	}
	n, err := write(b)
	if m.written != nil && n > 0 {
		m.noteWrite(gpa, uint64(min(n, len(b)))) //nolint:gosec // G115: positive
	}
	return n, err
}

// Word32 is a 32-bit word in guest memory that host and guest use at the same
// time. It must not be used after the memory's Close.
//
// Guest-controlled: the value, at any moment.
type Word32 struct{ p *uint32 }

// Word32 returns the word at an address, a multiple of 4.
func (m *Memory) Word32(gpa uint64) (Word32, error) {
	p, err := m.word(gpa, 4)
	return Word32{(*uint32)(p)}, err
}

// Load returns the word's value.
func (w Word32) Load() uint32 { return atomic.LoadUint32(w.p) }

// Store sets the word's value.
func (w Word32) Store(v uint32) { atomic.StoreUint32(w.p, v) }

// Publish sets the word's value behind all that was stored before, as
// [cpu.Publish] says.
func (w Word32) Publish(v uint32) { cpu.Publish(w.p, v) }

// Or sets the bits of v.
func (w Word32) Or(v uint32) { atomic.OrUint32(w.p, v) }

// Word64 is Word32 with 64 bits.
type Word64 struct{ p *uint64 }

// Word64 returns the word at an address, a multiple of 8.
func (m *Memory) Word64(gpa uint64) (Word64, error) {
	p, err := m.word(gpa, 8)
	return Word64{(*uint64)(p)}, err
}

// Load returns the word's value.
func (w Word64) Load() uint64 { return atomic.LoadUint64(w.p) }

// Store sets the word's value.
func (w Word64) Store(v uint64) { atomic.StoreUint64(w.p, v) }

func (m *Memory) word(gpa, size uint64) (unsafe.Pointer, error) {
	b, ok := m.slice(gpa, size)
	if !ok {
		return nil, m.outside(gpa, size)
	}
	if gpa%size != 0 {
		return nil, fmt.Errorf("guestmem: no %d-byte word at %#x", size, gpa)
	}
	// Safety: in bounds and aligned, since the buffer itself is page-aligned.
	return unsafe.Pointer(unsafe.SliceData(b)), nil
}
