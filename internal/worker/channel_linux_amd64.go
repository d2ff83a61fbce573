package worker

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// Application and worker talk by two pipes. Sockets would do as well for messages, but
// what writes to a socket can put descriptors into it (SCM_RIGHTS in unix(7)): its own,
// so that the socket never ends, or one of a connection that takes its time to close,
// in a system call of the application. A pipe carries bytes.

// errStopped means that the worker has ended, or is to be waited for no longer.
var errStopped = errors.New("worker: stopped")

// pipe is one end, used by plain system calls: the worker's filter knows which.
type pipe int

// Read reads once.
func (p pipe) Read(b []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.Read(int(p), b) })
	if n == 0 && err == nil {
		err = os.ErrClosed
	}
	return n, err
}

// Write writes all, or as much as there is room for if the pipe doesn't block. If
// nobody can read it the signal SIGPIPE comes, which Go ignores for descriptors other
// than 1 and 2.
func (p pipe) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := retry(func() (int, error) { return unix.Write(int(p), b[done:]) })
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// channel is the application's end. Waiting for a pipe in the kernel costs less than by
// Go's network poller. It ends with stop, and not with the pipe: others may hold its
// far end, since a worker that may use sockets can pass it on.
type channel struct {
	in, out pipe // which don't block

	mu     sync.Mutex
	event  int  // guarded by mu: an eventfd(2), readable after stop
	closed bool // guarded by mu
}

// newChannel makes a channel and the worker's ends of it: to read calls from, and to
// write results to.
func newChannel() (c *channel, calls, results *os.File, err error) {
	fds := [5]int{-1, -1, -1, -1, -1} // read and write ends for calls, for results; the event
	defer func() {
		if err != nil {
			for _, fd := range fds {
				_ = unix.Close(fd)
			}
		}
	}()
	for i := range 2 {
		if err := unix.Pipe2(fds[2*i:2*i+2], unix.O_CLOEXEC); err != nil {
			return nil, nil, nil, fmt.Errorf("worker: pipe2: %w", err)
		}
	}
	if fds[4], err = unix.Eventfd(0, unix.EFD_CLOEXEC); err != nil {
		return nil, nil, nil, fmt.Errorf("worker: eventfd: %w", err)
	}
	if err := errors.Join(unix.SetNonblock(fds[1], true), unix.SetNonblock(fds[2], true)); err != nil {
		return nil, nil, nil, fmt.Errorf("worker: fcntl: %w", err)
	}
	c = &channel{in: pipe(fds[2]), out: pipe(fds[1]), event: fds[4]}
	return c, os.NewFile(uintptr(fds[0]), "calls"), os.NewFile(uintptr(fds[3]), "results"), nil
}

// stop makes Read and Write fail, also those that wait. Any goroutine may call it, and
// after close too.
func (c *channel) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		one := [8]byte{1}
		_, _ = unix.Write(c.event, one[:])
	}
}

// close gives the descriptors back. Nobody may Read or Write any more.
func (c *channel) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, fd := range []int{int(c.in), int(c.out), c.event} {
		_ = unix.Close(fd)
	}
}

// Read reads once.
func (c *channel) Read(b []byte) (int, error) {
	for {
		if err := c.await(c.in, unix.POLLIN); err != nil {
			return 0, err
		}
		if n, err := c.in.Read(b); !errors.Is(err, unix.EAGAIN) {
			return n, err
		}
	}
}

// Write writes all.
func (c *channel) Write(b []byte) (int, error) {
	for done := 0; ; {
		n, err := c.out.Write(b[done:])
		done += n
		if !errors.Is(err, unix.EAGAIN) {
			return done, err
		}
		if err := c.await(c.out, unix.POLLOUT); err != nil {
			return done, err
		}
	}
}

// await waits for one of the pipes, or for stop.
func (c *channel) await(p pipe, events int16) error {
	list := [2]unix.PollFd{{Fd: int32(p), Events: events}, {Fd: int32(c.event), Events: unix.POLLIN}} //nolint:gosec // G115: descriptors
	if _, err := retry(func() (int, error) { return unix.Poll(list[:], -1) }); err != nil {
		return fmt.Errorf("worker: poll: %w", err)
	}
	if list[1].Revents != 0 {
		return errStopped
	}
	return nil
}

// retry makes a system call again that a signal has interrupted. After an error the
// number is 0.
func retry(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err == nil {
			return n, nil
		}
		if !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
}
