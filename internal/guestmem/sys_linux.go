package guestmem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/faults"
)

// reserve maps size bytes of zeroed memory at a multiple of Alignment, with
// Guard inaccessible bytes on both sides, and returns the whole reservation and
// where in it the memory starts.
func reserve(size int) ([]byte, int, error) {
	if err := faults.Check(); err != nil {
		return nil, 0, fmt.Errorf("guestmem: reserve memory: %w", err)
	}
	// One unit more than needed, so that an aligned start can be chosen; what is
	// left over on either side widens the guards.
	all, err := unix.Mmap(-1, 0, size+2*Guard+Alignment, unix.PROT_NONE,
		unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE)
	if err != nil {
		return nil, 0, fmt.Errorf("guestmem: reserve %d bytes: %w", size, err)
	}
	base := uintptr(unsafe.Pointer(unsafe.SliceData(all)))
	start := int((base+Guard+Alignment-1)&^(Alignment-1) - base)
	if err := unix.Mprotect(all[start:start+size], unix.PROT_READ|unix.PROT_WRITE); err != nil {
		_ = unix.Munmap(all)
		return nil, 0, fmt.Errorf("guestmem: open %d bytes: %w", size, err)
	}
	return all, start, nil
}

func release(all []byte) error { return unix.Munmap(all) }

// mapFile puts a private mapping of a part of a file over b.
func mapFile(b []byte, fd int, offset uint64) error {
	return mapFixed(b, fd, offset, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
}

// mapZero puts fresh zeroed memory over b.
func mapZero(b []byte) error {
	return mapFixed(b, -1, 0, unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE|unix.MAP_ANONYMOUS)
}

func mapFixed(b []byte, fd int, offset uint64, flags int) error {
	if err := faults.Check(); err != nil {
		return fmt.Errorf("guestmem: map memory: %w", err)
	}
	addr := unsafe.Pointer(unsafe.SliceData(b))
	// Safety: the range is part of this package's own reservation, which nothing
	// but it uses.
	got, err := unix.MmapPtr(fd, int64(offset), addr, uintptr(len(b)), unix.PROT_READ|unix.PROT_WRITE, flags) //nolint:gosec // G115: at most maxSize
	if err != nil {
		return fmt.Errorf("guestmem: map memory: %w", err)
	}
	if got != addr {
		return errors.New("guestmem: memory was mapped elsewhere")
	}
	return nil
}

// viewFile maps a file for reading.
func viewFile(fd int, size uint64) ([]byte, error) {
	if err := faults.Check(); err != nil {
		return nil, fmt.Errorf("guestmem: map a file: %w", err)
	}
	view, err := unix.Mmap(fd, 0, int(size), unix.PROT_READ, unix.MAP_SHARED) //nolint:gosec // G115: at most maxSize
	if err != nil {
		return nil, fmt.Errorf("guestmem: map a file: %w", err)
	}
	return view, nil
}

// Bits of an entry of /proc/self/pagemap ("pagemap, from the userspace
// perspective" in the kernel's documentation).
const (
	pagemapPresent = 1 << 63
	pagemapSwapped = 1 << 62
	pagemapEntry   = 8
)

// present sets the bits of those pages of b that the process has: all others
// were never touched.
func present(b []byte, set []uint64) error {
	if err := faults.Check(); err != nil {
		return fmt.Errorf("guestmem: read the page map: %w", err)
	}
	fd, err := unix.Open("/proc/self/pagemap", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("guestmem: %w", err)
	}
	defer unix.Close(fd) //nolint:errcheck // it was only read
	first := uint64(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) / PageSize
	entries := make([]byte, 4096*pagemapEntry)
	for page, pages := uint64(0), uint64(len(b))/PageSize; page < pages; {
		chunk := entries[:min(uint64(len(entries)), (pages-page)*pagemapEntry)]
		n, err := unix.Pread(fd, chunk, int64((first+page)*pagemapEntry)) //nolint:gosec // G115: an address
		if err == unix.EINTR {
			continue
		}
		if err != nil || n < pagemapEntry {
			return fmt.Errorf("guestmem: read /proc/self/pagemap: %d bytes: %w", n, err)
		}
		for i := range n / pagemapEntry {
			if binary.NativeEndian.Uint64(chunk[i*pagemapEntry:])&(pagemapPresent|pagemapSwapped) != 0 {
				p := page + uint64(i) //nolint:gosec // G115: not negative
				set[p/wordPages] |= 1 << (p % wordPages)
			}
		}
		page += uint64(n / pagemapEntry) //nolint:gosec // G115: not negative
	}
	return nil
}

// discard drops the pages of b: what is anonymous reads as zero again, what maps
// a file privately as the file.
func discard(b []byte) error {
	if err := faults.Check(); err != nil {
		return fmt.Errorf("guestmem: discard: %w", err)
	}
	if err := unix.Madvise(b, unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("guestmem: discard: %w", err)
	}
	return nil
}

func populate(b []byte) error {
	if err := faults.Check(); err != nil {
		return fmt.Errorf("guestmem: populate: %w", err)
	}
	if err := unix.Madvise(b, unix.MADV_POPULATE_WRITE); err != nil {
		return fmt.Errorf("guestmem: populate: %w", err)
	}
	return nil
}

func preferLarge(b []byte) error {
	err := unix.Madvise(b, unix.MADV_HUGEPAGE)
	if err == unix.EINVAL {
		return nil // a kernel without transparent huge pages
	}
	if err != nil {
		return fmt.Errorf("guestmem: prefer large pages: %w", err)
	}
	return nil
}

const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE

func sealedFile(name string, size uint64, pieces []Piece) (fd int, err error) {
	if err := faults.Check(); err != nil {
		return -1, fmt.Errorf("guestmem: memfd_create: %w", err)
	}
	fd, err = unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return -1, fmt.Errorf("guestmem: memfd_create: %w", err)
	}
	defer func() {
		if err != nil {
			_ = unix.Close(fd)
		}
	}()
	if err := unix.Ftruncate(fd, int64(size)); err != nil { //nolint:gosec // G115: at most maxSize
		return -1, fmt.Errorf("guestmem: ftruncate: %w", err)
	}
	// Writing, rather than mapping the file and copying: a fault for each page would
	// take longer than the copy.
	for _, p := range pieces {
		for done := 0; done < len(p.Data); {
			n, err := unix.Pwrite(fd, p.Data[done:], int64(p.Offset)+int64(done)) //nolint:gosec // G115: at most maxSize
			if err != nil && err != unix.EINTR {
				return -1, fmt.Errorf("guestmem: write the image: %w", err)
			}
			done += max(n, 0)
		}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals); err != nil {
		return -1, fmt.Errorf("guestmem: seal the image: %w", err)
	}
	return fd, nil
}

// duplicate returns a descriptor of its own for an open file.
func duplicate(file *os.File) (int, error) {
	fd, err := unix.FcntlInt(file.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	runtime.KeepAlive(file)
	if err != nil {
		return -1, fmt.Errorf("guestmem: duplicate a descriptor: %w", err)
	}
	return fd, nil
}

func closeFile(fd int) error { return unix.Close(fd) }
