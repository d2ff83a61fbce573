package seccomp

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"
)

type fake struct {
	open   *atomic.Int32
	broken bool
}

func (f *fake) Usable() bool { return !f.broken }
func (f *fake) Close()       { f.open.Add(-1) }

func fakes(keep time.Duration) (*Pool[*fake], *atomic.Int32, *atomic.Int32) {
	var open, made atomic.Int32
	return NewPool(keep, func(context.Context) (*fake, error) {
		open.Add(1)
		made.Add(1)
		return &fake{open: &open}, nil
	}), &open, &made
}

func get(t *testing.T, p *Pool[*fake]) *fake {
	t.Helper()
	f, err := p.Get(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestPool(t *testing.T) {
	t.Parallel()
	p, open, made := fakes(time.Hour)
	p.Join()
	p.Join()
	a, b := get(t, p), get(t, p)
	p.Put(a)
	p.Put(b)
	if got := get(t, p); got != b {
		t.Error("not the one that was used last")
	}
	p.Put(b)
	b.broken = true // while it is idle
	if got := get(t, p); got != a || open.Load() != 1 {
		t.Errorf("%d are open", open.Load())
	}
	a.broken = true // while it is in use
	p.Put(a)
	c := get(t, p)
	if open.Load() != 1 || made.Load() != 3 || p.Idle() != 0 {
		t.Errorf("%d are open of %d, %d idle", open.Load(), made.Load(), p.Idle())
	}
	p.Put(c)
	p.Leave()
	if open.Load() != 1 {
		t.Error("closed while there is a user")
	}
	p.Leave()
	if open.Load() != 0 {
		t.Error("open without a user")
	}
}

func TestPoolExpires(t *testing.T) {
	t.Parallel()
	p, open, _ := fakes(20 * time.Millisecond)
	p.Join()
	defer p.Leave()
	a, b := get(t, p), get(t, p)
	p.Put(a)
	time.Sleep(10 * time.Millisecond)
	p.Put(b)
	for end := time.Now().Add(5 * time.Second); open.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d are open", open.Load())
		}
	}
}

func TestPoolFails(t *testing.T) {
	t.Parallel()
	failure := errors.New("none")
	p := NewPool(time.Hour, func(context.Context) (*fake, error) { return nil, failure })
	p.Join()
	defer p.Leave()
	if _, err := p.Get(context.Background()); !errors.Is(err, failure) {
		t.Error(err)
	}
}

// TestThreads: equal rules share threads, and the last user takes them along.
func TestThreads(t *testing.T) {
	t.Parallel()
	if err := Supported(); err != nil {
		t.Fatal(err)
	}
	r, err := FindRuntime()
	if err != nil {
		t.Fatal(err)
	}
	var shares []*Threads
	for _, names := range [][]string{{"getuid", "geteuid"}, {"geteuid", "getuid"}, {"getuid"}} {
		program, err := Compile(append(Base(r), Allow(names...)...))
		if err != nil {
			t.Fatal(err)
		}
		shares = append(shares, JoinThreads(program))
	}
	if shares[0].pool != shares[1].pool || shares[0].pool == shares[2].pool {
		t.Error("who shares what is wrong")
	}
	for _, s := range shares {
		if _, denied, err := s.Do(func() {}); denied != 0 || err != nil {
			t.Error(denied, err)
		}
	}
	for _, s := range shares {
		s.Leave()
	}
	threads.mu.Lock()
	defer threads.mu.Unlock()
	for _, s := range shares {
		if threads.pools[s.key] == s.pool {
			t.Error("a pool without users is kept")
		}
	}
}

func TestParseEpollEntry(t *testing.T) {
	t.Parallel()
	fd, data, ok := parseEpollEntry("tfd:        4 events:       19 data:           55d5c3  pos:0 ino:41e sdev:e\n")
	if fd != 4 || data != 0x55d5c3 || !ok {
		t.Error(fd, data, ok)
	}
	for _, line := range []string{
		"", "pos:\t0\n", "tfd: 4 events: 19 data:", "tfd: x events: 19 data: 1", "tfd: 4 events: 19 data: g",
		"tfd: 4 events: 19 data: ffffffffffffffff",
	} {
		if _, _, ok := parseEpollEntry(line); ok {
			t.Errorf("%q", line)
		}
	}
}

func TestFindPollerFails(t *testing.T) {
	t.Parallel()
	if _, err := findPoller(t.TempDir()); err == nil {
		t.Error("found where nothing is")
	}
}
