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

// pipe is the worker's end of one, used by plain blocking system calls: the worker's
// filter knows which.
type pipe int

// Read reads once.
func (p pipe) Read(b []byte) (int, error) {
	n, err := retry(func() (int, error) { return unix.Read(int(p), b) })
	if n == 0 && err == nil {
		err = os.ErrClosed
	}
	return n, err
}

// Write writes all. If nobody can read it the signal SIGPIPE comes, which Go
// ignores for descriptors other than 1 and 2.
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
	in, out int // descriptors that don't block

	mu     sync.Mutex
	event  int  // guarded by mu: an eventfd(2), readable after stop
	closed bool // guarded by mu
}

// newChannel makes a channel and the worker's ends of it: to read calls from, and to
// write results to.
func newChannel() (c *channel, calls, results *os.File, err error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("worker: eventfd: %w", err)
	}
	var there, back [2]int
	if err := unix.Pipe2(there[:], unix.O_CLOEXEC); err != nil {
		_ = unix.Close(event)
		return nil, nil, nil, fmt.Errorf("worker: pipe2: %w", err)
	}
	if err := unix.Pipe2(back[:], unix.O_CLOEXEC); err != nil {
		for _, fd := range []int{event, there[0], there[1]} {
			_ = unix.Close(fd)
		}
		return nil, nil, nil, fmt.Errorf("worker: pipe2: %w", err)
	}
	c = &channel{in: back[0], out: there[1], event: event}
	calls, results = os.NewFile(uintptr(there[0]), "calls"), os.NewFile(uintptr(back[1]), "results")
	if err := errors.Join(unix.SetNonblock(c.in, true), unix.SetNonblock(c.out, true)); err != nil {
		c.close()
		return nil, nil, nil, errors.Join(fmt.Errorf("worker: fcntl: %w", err), calls.Close(), results.Close())
	}
	return c, calls, results, nil
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
	for _, fd := range []int{c.in, c.out, c.event} {
		_ = unix.Close(fd)
	}
}

// Read reads once.
func (c *channel) Read(b []byte) (int, error) {
	for {
		if err := c.await(c.in, unix.POLLIN); err != nil {
			return 0, err
		}
		n, err := retry(func() (int, error) { return unix.Read(c.in, b) })
		switch {
		case errors.Is(err, unix.EAGAIN):
			continue
		case err == nil && n == 0:
			err = os.ErrClosed
		}
		return n, err
	}
}

// Write writes all.
func (c *channel) Write(b []byte) (int, error) {
	done := 0
	for done < len(b) {
		n, err := retry(func() (int, error) { return unix.Write(c.out, b[done:]) })
		if errors.Is(err, unix.EAGAIN) {
			n, err = 0, c.await(c.out, unix.POLLOUT)
		}
		if err != nil {
			return done, err
		}
		done += n
	}
	return done, nil
}

// await waits for one of the pipes, or for stop.
func (c *channel) await(fd int, events int16) error {
	list := [2]unix.PollFd{{Fd: int32(fd), Events: events}, {Fd: int32(c.event), Events: unix.POLLIN}} //nolint:gosec // G115: descriptors
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
