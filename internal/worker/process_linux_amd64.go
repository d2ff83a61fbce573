package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/leak"
	"github.com/airlockvm/airlock/internal/seccomp"
	"github.com/airlockvm/airlock/internal/wire"
)

const (
	// arg0 is how a process knows that it is a worker; its second argument is the
	// name of what it is to serve.
	arg0 = "airlock-worker"
	// patience is how long a worker may take until it is ready. What the
	// application does before it comes to Serve is part of that.
	patience = 20 * time.Second

	statusReady, statusFailed = 'R', 'E'
)

// The worker's descriptors after stdin, stdout and stderr: pipes that it reads calls
// from and writes results to, and the socket by which it says that it is ready.
const (
	callsFD = iota + 3
	resultsFD
	readyFD
)

// Process is a worker, seen from the application. One goroutine at a time uses
// it.
type Process struct {
	channel *channel
	results *bufio.Reader // of channel
	filter  *os.File
	kill    bool
	exited  chan struct{} // closed when the process has ended
	state   error         // how, after that
	buffer  []byte
	track   *leak.Resource

	mu      sync.Mutex
	cmd     *exec.Cmd       // guarded by mu: nil before it is started and when it has ended
	calling bool            // guarded by mu
	ended   bool            // guarded by mu: it has ended, or is about to be killed
	refused int             // guarded by mu: system calls since the last call began
	denied  *seccomp.Denial // guarded by mu: the first of them that was denied
}

// maxRefused is how many system calls of a worker are refused in one call, and until
// the next. Each takes time of the application's, so a worker that goes on is killed.
const maxRefused = 1000

// Start starts a worker for name. kill says that a refused system call ends it.
func Start(ctx context.Context, name string, kill bool) (*Process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("worker: socketpair: %w", err)
	}
	defer unix.Close(pair[0]) //nolint:errcheck // nothing is in it that is wanted
	ready := os.NewFile(uintptr(pair[1]), "ready")
	c, calls, results, err := newChannel()
	if err != nil {
		return nil, errors.Join(err, ready.Close())
	}
	p := &Process{channel: c, results: bufio.NewReader(c), kill: kill, exited: make(chan struct{}), track: leak.Open("worker process")}
	started := make(chan error)
	go p.run(name, []*os.File{calls, results, ready}, started)
	if err := <-started; err != nil {
		c.close()
		p.track.Close()
		return nil, fmt.Errorf("worker: start: %w", err)
	}
	stop := context.AfterFunc(ctx, p.end)
	err = p.handshake(pair[0])
	if !stop() {
		err = context.Cause(ctx) // it is being killed
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	go p.watch()
	return p, nil
}

// run starts the process, gives its descriptors away, and waits for its end. It keeps
// its thread meanwhile: PR_SET_PDEATHSIG is about the thread that has started the
// process.
func (p *Process) run(name string, descriptors []*os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := &exec.Cmd{
		Path:       "/proc/self/exe", // the same file, even if another one took its place
		Args:       []string{arg0, name, firstLife},
		Env:        []string{},
		ExtraFiles: descriptors,
		SysProcAttr: &unix.SysProcAttr{
			Setsid:    true, // no terminal, and none of its signals
			Pdeathsig: unix.SIGKILL,
		},
	}
	err := cmd.Start()
	for _, f := range descriptors {
		_ = f.Close()
	}
	if err != nil {
		started <- err
		return
	}
	p.mu.Lock()
	p.cmd = cmd
	p.mu.Unlock()
	started <- nil
	err = cmd.Wait()
	p.mu.Lock()
	p.cmd, p.ended = nil, true
	p.mu.Unlock()
	if err == nil {
		err = errors.New("exit status 0")
	}
	p.state = err
	close(p.exited)
	p.channel.stop()
}

// handshake waits until the worker has its filter, and takes the descriptor by
// which that is supervised. The worker has not seen anything of a guest's by then.
func (p *Process) handshake(ready int) error {
	// The socket is one that blocks, and the end of the worker ends it.
	limit := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(ready, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return fmt.Errorf("worker: setsockopt: %w", err)
	}
	text, control := make([]byte, 1024), make([]byte, unix.CmsgSpace(4))
	nc := 0
	n, err := retry(func() (n int, err error) {
		n, nc, _, _, err = unix.Recvmsg(ready, text, control, unix.MSG_CMSG_CLOEXEC)
		return n, err
	})
	if errors.Is(err, unix.EAGAIN) {
		return fmt.Errorf("worker: not ready after %v: does main call Main first?", patience)
	}
	if err == nil && n == 0 {
		return fmt.Errorf("worker: it ended before it was ready: does main call Main first? %w", io.ErrUnexpectedEOF)
	}
	if err != nil {
		return fmt.Errorf("worker: it did not start: %w", err)
	}
	if text[0] != statusReady {
		return fmt.Errorf("worker: it did not start: %.900q", text[1:n])
	}
	messages, err := unix.ParseSocketControlMessage(control[:nc])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("%w: no descriptor of its filter", ErrMessage)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return fmt.Errorf("%w: no descriptor of its filter", ErrMessage)
	}
	_ = unix.SetNonblock(fds[0], true) // so that waiting for it takes no thread
	p.filter = os.NewFile(uintptr(fds[0]), "filter")
	return nil
}

// watch supervises the worker's filter.
func (p *Process) watch() {
	_ = seccomp.Watch(p.filter, func(d seccomp.Denial) unix.Errno {
		errno, last := p.refuse(d)
		if last {
			p.end()
		}
		return errno
	})
	_ = p.filter.Close()
}

// refuse notes a refused system call, and returns its error number and whether it is
// the worker's last: because that is what the application wants, or there were too
// many, or nothing was called that it could be of.
func (p *Process) refuse(d seccomp.Denial) (errno unix.Errno, last bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	errno, last = unix.EPERM, p.refused > maxRefused
	if d.Nr == unix.SYS_CLONE3 {
		errno = unix.ENOSYS // C libraries try it before clone(2), whose flags a filter can see
	} else {
		if p.denied == nil {
			p.denied = &d
		}
		last = last || p.kill || !p.calling
	}
	p.ended = p.ended || last // before anybody takes it for the next call
	return errno, last
}

// end kills the process, if there still is one. Nobody waits for it any longer.
func (p *Process) end() {
	p.mu.Lock()
	p.ended = true
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
	}
	p.mu.Unlock()
	p.channel.stop()
}

// Call has the worker make a call of a function that returns a want. It returns the
// first system call that was refused meanwhile, or nil. A result of more than limit
// bytes is an error of the function. The end of the context kills the worker. After an
// error it is no longer usable.
func (p *Process) Call(ctx context.Context, c *wire.Call, want wire.Kind, limit int) (wire.Result, *seccomp.Denial, error) {
	p.mu.Lock()
	p.calling, p.refused, p.denied = true, 0, nil
	p.mu.Unlock()
	stop := context.AfterFunc(ctx, p.end)
	result, err := p.exchange(c, want, limit)
	if !stop() && err == nil {
		err = ctx.Err() // it is being killed
	}
	if err != nil {
		err = p.why(ctx, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calling = false
	return result, p.denied, err
}

// why ends the process after an error, and returns what was behind that.
func (p *Process) why(ctx context.Context, err error) error {
	p.end()
	select {
	case <-p.exited:
	case <-ctx.Done(): // it may be in a system call that takes its time
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if errors.Is(err, ErrMessage) {
		return err
	}
	return p.state
}

func (p *Process) exchange(c *wire.Call, want wire.Kind, limit int) (wire.Result, error) {
	var err error
	if p.buffer, err = wire.AppendCallWithin(p.buffer[:0], c, MaxMessage); err != nil {
		return wire.Result{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if _, err := p.channel.Write(p.buffer); err != nil {
		return wire.Result{}, err
	}
	p.buffer, err = readMessage(p.results, p.buffer, limit)
	if errors.Is(err, errTooLarge) {
		return tooLarge(), nil
	}
	if err != nil {
		return wire.Result{}, err
	}
	result, err := wire.DecodeResult(p.buffer)
	if err != nil {
		return wire.Result{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if kind := result.Value.Kind(); result.Err == nil && kind != want {
		return wire.Result{}, fmt.Errorf("%w: a result of type %s", ErrMessage, kind)
	}
	result.Value.Own() // the buffer is used again
	return result, nil
}

// PID returns the number of the process.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// Usable reports whether the worker can do more.
func (p *Process) Usable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.ended
}

// Close kills the worker.
func (p *Process) Close() {
	p.end()
	p.channel.close()
	go func() {
		<-p.exited
		p.track.Close()
	}()
}
