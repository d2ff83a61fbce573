package worker

import (
	"os"

	"golang.org/x/sys/unix"
)

// socket is one end, used by plain blocking system calls: the worker's filter
// knows which.
type socket int

// Read reads once.
func (s socket) Read(b []byte) (int, error) {
	for {
		n, err := unix.Read(int(s), b)
		switch {
		case err == unix.EINTR: //nolint:errorlint // an error number
			continue
		case err != nil:
			return 0, err
		case n == 0:
			return 0, os.ErrClosed
		}
		return n, nil
	}
}

// Write writes all. If nobody can read it the signal SIGPIPE comes, which Go
// ignores for sockets.
func (s socket) Write(b []byte) (int, error) {
	for done := 0; done < len(b); {
		n, err := unix.Write(int(s), b[done:])
		if err != nil && err != unix.EINTR { //nolint:errorlint // an error number
			return done, err
		}
		done += max(n, 0)
	}
	return len(b), nil
}

// receive reads once, with what control messages bring.
func (s socket) receive(b, control []byte) (n, controls int, err error) {
	for {
		n, controls, _, _, err = unix.Recvmsg(int(s), b, control, unix.MSG_CMSG_CLOEXEC)
		if err != unix.EINTR { //nolint:errorlint // an error number
			return n, controls, err
		}
	}
}
