package seccomp

import (
	"context"
	"sync"
	"time"
)

// Member is what a Pool keeps.
type Member interface {
	Usable() bool
	Close()
}

// Pool keeps members that are costly to make for who uses one at a time. There
// are never more than who joined use at once; those that nobody wants for a
// while are closed, and all of them when the last user has left.
type Pool[M Member] struct {
	start func(ctx context.Context) (M, error)
	keep  time.Duration

	mu    sync.Mutex
	users int         // guarded by mu
	idle  []idle[M]   // guarded by mu: the one that was used last comes last
	timer *time.Timer // guarded by mu: not nil while there are idle ones
}

type idle[M Member] struct {
	member M
	since  time.Time
}

// NewPool makes a pool of what start makes; idle members are kept for so long.
func NewPool[M Member](keep time.Duration, start func(ctx context.Context) (M, error)) *Pool[M] {
	return &Pool[M]{start: start, keep: keep}
}

// Join says that there is one more who uses the pool.
func (p *Pool[M]) Join() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users++
}

// Leave takes Join back.
func (p *Pool[M]) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.users--
	if p.users == 0 {
		p.end(len(p.idle))
	}
}

// Get returns an idle member or a new one. The context ends the making of that.
func (p *Pool[M]) Get(ctx context.Context) (M, error) {
	p.mu.Lock()
	for n := len(p.idle); n > 0; n = len(p.idle) {
		m := p.idle[n-1].member
		p.idle = p.idle[:n-1]
		if m.Usable() {
			p.mu.Unlock()
			return m, nil
		}
		m.Close()
	}
	p.mu.Unlock()
	return p.start(ctx)
}

// Put gives a member back.
func (p *Pool[M]) Put(m M) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.users == 0 || !m.Usable() {
		m.Close()
		return
	}
	p.idle = append(p.idle, idle[M]{m, time.Now()})
	if p.timer == nil {
		p.timer = time.AfterFunc(p.keep, p.expire)
	}
}

// expire closes the members that have been idle for too long.
func (p *Pool[M]) expire() {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, limit := 0, time.Now().Add(-p.keep)
	for n < len(p.idle) && !p.idle[n].since.After(limit) {
		n++
	}
	p.end(n)
	if len(p.idle) > 0 && p.timer != nil {
		p.timer.Reset(p.idle[0].since.Sub(limit))
	}
}

// end closes the first n idle members. Preconditions: mu is held.
func (p *Pool[M]) end(n int) {
	for _, i := range p.idle[:n] {
		i.member.Close()
	}
	p.idle = append(p.idle[:0:0], p.idle[n:]...)
	if len(p.idle) == 0 && p.timer != nil {
		p.timer.Stop()
		p.timer = nil
	}
}

// Idle returns how many members wait.
func (p *Pool[M]) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}
