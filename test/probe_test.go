package test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// probePath builds the guest testdata/probe, once.
var probePath = sync.OnceValues(func() (string, error) {
	dir, err := buildDir("probe")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "probe")
	command := exec.Command("go", "build", "-trimpath", "-o", path, "./testdata/probe")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	if out, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build testdata/probe: %w\n%s", err, out)
	}
	return path, nil
})

// probeMemory is what the probe is made for, see its source.
const probeMemory = 32 << 20

// probe returns the guest testdata/probe.
func probe(t *testing.T) *airlock.Guest {
	t.Helper()
	kvmtest.Require(t)
	path, err := probePath()
	if err != nil {
		t.Fatal(err)
	}
	return load(t, path)
}

// create makes a sandbox that is closed after the test.
func create(t *testing.T, guest *airlock.Guest, options airlock.Options) *airlock.Sandbox {
	t.Helper()
	sandbox, err := airlock.New(t.Context(), guest, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sandbox.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return sandbox
}

// running is a Run that goes on in the background.
type running struct {
	started *startSignal
	done    chan struct{} // closed when it has ended
	code    int           // valid after that, as is err
	err     error
}

// start runs a program in the background.
func start(ctx context.Context, sandbox *airlock.Sandbox, p airlock.Process) *running {
	r := &running{started: &startSignal{c: make(chan struct{})}, done: make(chan struct{})}
	if p.Stdout == nil {
		p.Stdout = r.started
	}
	go func() {
		defer close(r.done)
		r.code, r.err = sandbox.Run(ctx, p)
	}()
	return r
}

// awaitOutput waits until the program has written something.
func (r *running) awaitOutput(t *testing.T) {
	t.Helper()
	select {
	case <-r.started.c:
	case <-r.done:
		t.Fatalf("the program ended before it wrote anything: code %d, error %v", r.code, r.err)
	case <-time.After(hang):
		t.Fatal("the program has written nothing")
	}
}

// await waits for the end of the run.
func (r *running) await(t *testing.T) error {
	t.Helper()
	select {
	case <-r.done:
		return r.err
	case <-time.After(hang):
		t.Fatal("Run does not return")
		return nil
	}
}

// hang is how long nothing may take.
const hang = 30 * time.Second

// startSignal is a Writer that says that it was written to.
type startSignal struct {
	once sync.Once
	c    chan struct{}
}

// Write discards.
func (s *startSignal) Write(p []byte) (int, error) {
	s.once.Do(func() { close(s.c) })
	return len(p), nil
}
