package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// program is a guest and how it is run.
type program struct {
	guest    *airlock.Guest
	options  airlock.Options
	process  airlock.Process // its Stdout and Stderr are set by run
	deadline time.Duration
}

// outcome is how a run ended.
type outcome struct {
	code           int
	err            error
	stdout, stderr *output
	took           time.Duration
}

// slots bounds how many programs run at a time, also if somebody asks for more
// parallel tests than there are processors: what some guests assert about time
// would not hold.
var slots = make(chan struct{}, max(2, runtime.NumCPU()))

// run runs a program in a sandbox of its own and checks what is true of every
// run: the end is a documented one, the sandbox is poisoned if and only if there
// was an error, it can be closed, and then it is closed.
func run(t *testing.T, p program) outcome {
	t.Helper()
	slots <- struct{}{}
	defer func() { <-slots }()
	ctx, cancel := context.WithTimeout(t.Context(), p.deadline)
	defer cancel()
	sandbox, err := airlock.New(ctx, p.guest, p.options)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	result := outcome{stdout: newOutput(), stderr: newOutput()}
	p.process.Stdout, p.process.Stderr = result.stdout, result.stderr
	start := time.Now()
	result.code, result.err = sandbox.Run(ctx, p.process)
	result.took = time.Since(start)
	if err := documented(result.code, result.err); err != nil {
		t.Error(err)
	}
	checkAfterRun(t, sandbox, result.err != nil)
	return result
}

// checkAfterRun checks the state of a sandbox whose run has ended, and closes it.
func checkAfterRun(t *testing.T, sandbox *airlock.Sandbox, failed bool) {
	t.Helper()
	// A run whose context has ended shows whether the sandbox would run, and
	// takes no time.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sandbox.Run(ended, airlock.Process{})
	want := context.Canceled
	if failed {
		want = airlock.ErrPoisoned
	}
	if !errors.Is(err, want) {
		t.Errorf("another Run gave error %v, want %v", err, want)
	}
	if err := sandbox.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := sandbox.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
	if _, err := sandbox.Run(t.Context(), airlock.Process{}); !errors.Is(err, airlock.ErrClosed) {
		t.Errorf("Run after Close gave error %v, want ErrClosed", err)
	}
}

// report logs what a failed program has printed.
func (o outcome) report(t *testing.T) {
	t.Helper()
	t.Logf("after %v: code %d, error %v\nstdout (%d bytes) ends with:\n%s\nstderr (%d bytes) ends with:\n%s",
		o.took.Round(time.Microsecond), o.code, o.err, o.stdout.total(), o.stdout, o.stderr.total(), o.stderr)
}

// output keeps the end of what a program writes: some write without end.
type output struct {
	mu   sync.Mutex
	tail []byte
	size int
}

// keepOutput is how much is kept at least.
const keepOutput = 1 << 20

func newOutput() *output { return &output{} }

// Write never fails.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.size += len(p)
	o.tail = append(o.tail, p...)
	if excess := len(o.tail) - 2*keepOutput; excess > 0 {
		o.tail = append(o.tail[:0], o.tail[len(o.tail)-keepOutput:]...)
	}
	return len(p), nil
}

// String is the end of the output.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return string(o.tail)
}

func (o *output) total() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size
}

// lastLine is the last line of the output, without its end.
func (o *output) lastLine() string {
	text := strings.TrimSuffix(o.String(), "\n")
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// load loads a guest, or skips the test where sandboxes can't be run.
func load(tb testing.TB, path string) *airlock.Guest {
	tb.Helper()
	kvmtest.Require(tb)
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		tb.Fatal(err)
	}
	return guest
}

// reader returns what gives s, in such a way that the library can't know that it
// does not block.
func reader(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

func TestOutput(t *testing.T) {
	t.Parallel()
	o := newOutput()
	for i := range 4 {
		fmt.Fprintf(o, "%s%d\n", bytes.Repeat([]byte{'x'}, keepOutput-2), i)
	}
	if o.total() != 4*keepOutput || len(o.String()) > 2*keepOutput || !strings.HasSuffix(o.lastLine(), "xx3") {
		t.Errorf("%d bytes, %d kept, last line ends with %q", o.total(), len(o.String()), o.lastLine()[keepOutput-4:])
	}
	o = newOutput()
	if o.lastLine() != "" {
		t.Errorf("last line of nothing: %q", o.lastLine())
	}
	fmt.Fprint(o, "one\ntwo")
	if o.lastLine() != "two" {
		t.Errorf("last line: %q", o.lastLine())
	}
}
