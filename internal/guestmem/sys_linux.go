package guestmem

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve maps size bytes of zeroed memory at a multiple of Alignment, with
// Guard inaccessible bytes on both sides, and returns the whole reservation and
// where in it the memory starts.
func reserve(size int) ([]byte, int, error) {
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

// mapFile puts a private mapping of the file over the start of b.
func mapFile(b []byte, f *File) error {
	addr := unsafe.Pointer(unsafe.SliceData(b))
	// Safety: the range is part of this package's own reservation, which nothing
	// but it uses, and the file is no longer than b.
	got, err := unix.MmapPtr(f.fd, 0, addr, uintptr(f.size), unix.PROT_READ|unix.PROT_WRITE,
		unix.MAP_PRIVATE|unix.MAP_FIXED|unix.MAP_NORESERVE)
	if err != nil {
		return fmt.Errorf("guestmem: map the image: %w", err)
	}
	if got != addr {
		return fmt.Errorf("guestmem: the image was mapped elsewhere")
	}
	return nil
}

// discard drops the pages of b: what is anonymous reads as zero again, what maps
// a file privately as the file.
func discard(b []byte) error {
	if err := unix.Madvise(b, unix.MADV_DONTNEED); err != nil {
		return fmt.Errorf("guestmem: discard: %w", err)
	}
	return nil
}

func populate(b []byte) error {
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

func closeFile(fd int) error { return unix.Close(fd) }
