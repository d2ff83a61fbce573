//go:build linux

package snapfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// pipe puts a pipe into the place of a file, which nobody ever writes to.
func (p place) pipe(name string) {
	p.t.Helper()
	if err := os.Remove(p.file(name)); err != nil {
		p.t.Fatal(err)
	}
	if err := unix.Mkfifo(p.file(name), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// lock locks the index as another process would.
func (p place) lock() (unlock func()) {
	p.t.Helper()
	f, err := os.OpenFile(p.file("airlock.lock"), os.O_RDWR, 0)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		p.t.Fatal(err)
	}
	return func() { _ = f.Close() }
}
