package worker

import (
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
	// talk is the worker's descriptor of the socket.
	talk = 3
	// patience is how long a worker may take until it is ready. What the
	// application does before it comes to Serve is part of that.
	patience = 20 * time.Second

	statusReady, statusFailed = 'R', 'E'
)

// Process is a worker, seen from the application. One goroutine at a time uses
// it.
type Process struct {
	conn   socket
	filter *os.File
	kill   bool
	exited chan struct{} // closed when the process has ended
	state  error         // how, after that
	broken bool
	buffer []byte
	track  *leak.Resource

	mu     sync.Mutex
	cmd    *exec.Cmd        // guarded by mu: nil before it is started and when it has ended
	denied []seccomp.Denial // guarded by mu: since the last call began; the first few
}

// maxDenied is how many refused system calls of one call are remembered.
const maxDenied = 16

// Start starts a worker for name. kill says that a refused system call ends it.
func Start(ctx context.Context, name string, kill bool) (*Process, error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("worker: socketpair: %w", err)
	}
	theirs := os.NewFile(uintptr(pair[1]), "application")
	p := &Process{conn: socket(pair[0]), kill: kill, exited: make(chan struct{}), track: leak.Open("worker process")}
	started := make(chan error)
	go p.run(name, theirs, started)
	if err := <-started; err != nil {
		_ = unix.Close(int(p.conn))
		p.track.Close()
		return nil, fmt.Errorf("worker: start: %w", err)
	}
	stop := context.AfterFunc(ctx, p.end)
	err = p.handshake()
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

// run starts the process and waits for its end. It keeps its thread meanwhile:
// PR_SET_PDEATHSIG is about the thread that has started the process.
func (p *Process) run(name string, socket *os.File, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := &exec.Cmd{
		Path:       "/proc/self/exe", // the same file, even if another one took its place
		Args:       []string{arg0, name, firstLife},
		Env:        []string{},
		ExtraFiles: []*os.File{socket},
		SysProcAttr: &unix.SysProcAttr{
			Setsid:    true, // no terminal, and none of its signals
			Pdeathsig: unix.SIGKILL,
		},
	}
	err := cmd.Start()
	_ = socket.Close()
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
	p.cmd = nil
	p.mu.Unlock()
	if err == nil {
		err = errors.New("exit status 0")
	}
	p.state = err
	close(p.exited)
}

// handshake waits until the worker has its filter, and takes the descriptor by
// which that is supervised.
func (p *Process) handshake() error {
	// The socket is one that blocks: waiting for it in the kernel costs less than
	// by Go's network poller, and the end of the worker ends it.
	limit := unix.NsecToTimeval(int64(patience))
	if err := unix.SetsockoptTimeval(int(p.conn), unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit); err != nil {
		return fmt.Errorf("worker: setsockopt: %w", err)
	}
	text, control := make([]byte, 1024), make([]byte, unix.CmsgSpace(4))
	n, nc, err := p.conn.receive(text, control)
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
	return unix.SetsockoptTimeval(int(p.conn), unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{})
}

// watch supervises the worker's filter.
func (p *Process) watch() {
	_ = seccomp.Watch(p.filter, func(d seccomp.Denial) unix.Errno {
		if d.Nr == unix.SYS_CLONE3 {
			// C libraries try it before clone(2), whose flags a filter can see.
			return unix.ENOSYS
		}
		p.mu.Lock()
		if len(p.denied) < maxDenied {
			p.denied = append(p.denied, d)
		}
		p.mu.Unlock()
		if p.kill {
			p.end()
		}
		return unix.EPERM
	})
	_ = p.filter.Close()
}

// end kills the process, if there still is one.
func (p *Process) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
	}
}

// Call has the worker make a call. It returns the first system call that was
// refused meanwhile, or nil. The end of the context kills the worker. After an
// error it is no longer usable.
func (p *Process) Call(ctx context.Context, c *wire.Call) (wire.Result, *seccomp.Denial, error) {
	p.mu.Lock()
	p.denied = nil
	p.mu.Unlock()
	stop := context.AfterFunc(ctx, p.end)
	result, err := p.exchange(c)
	if !stop() && err == nil {
		err = ctx.Err() // it is being killed
	}
	if err != nil {
		p.broken = true
		p.end()
		<-p.exited
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		} else if !errors.Is(err, ErrMessage) {
			err = p.state
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.denied) == 0 {
		return result, nil, err
	}
	return result, &p.denied[0], err
}

func (p *Process) exchange(c *wire.Call) (wire.Result, error) {
	var err error
	if p.buffer, err = wire.AppendCallWithin(p.buffer[:0], c, MaxMessage); err != nil {
		return wire.Result{}, fmt.Errorf("%w: %w", ErrMessage, err)
	}
	if _, err := p.conn.Write(p.buffer); err != nil {
		return wire.Result{}, err
	}
	if p.buffer, err = readMessage(p.conn, p.buffer); err != nil {
		return wire.Result{}, err
	}
	result, err := wire.DecodeResult(p.buffer)
	if err != nil {
		return wire.Result{}, fmt.Errorf("%w: %w", ErrMessage, err)
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
	select {
	case <-p.exited:
		return false
	default:
		return !p.broken
	}
}

// Close kills the worker.
func (p *Process) Close() {
	p.end()
	_ = unix.Close(int(p.conn))
	go func() {
		<-p.exited
		p.track.Close()
	}()
}
