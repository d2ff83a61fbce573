package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// bench is what stays between requests.
type bench struct {
	engines map[string]engine
	modules map[string]module  // by engine and file
	warm    map[string]*called // by engine, file, function and size
}

// called is an instance that is called again and again.
type called struct {
	in    instance
	batch int // so many calls make a sample
}

// aBatch is how long a sample of calls takes at least, so that neither the clock
// nor what the processor's caches have lost since the last one is in it.
const aBatch = time.Millisecond

func (b *bench) measure(ctx context.Context, r *request) (a answer, err error) {
	if r.What == "" {
		return answer{Versions: versions()}, nil
	}
	m, err := b.module(ctx, r)
	if err != nil {
		return a, err
	}
	switch r.What {
	case "first": // from nothing to the first answer
		a.NS, err = first(ctx, m, r)
	case "fresh": // an instance for a call, and away with it
		a.NS, err = fresh(ctx, m, r)
	case "call":
		a.NS, err = b.calls(ctx, m, r)
	case "run":
		a.Output, err = m.run(ctx, r.Args)
	default:
		err = fmt.Errorf("nobody knows how to measure %q", r.What)
	}
	return a, err
}

// module returns a compiled module, which is kept as a host would keep it.
func (b *bench) module(ctx context.Context, r *request) (module, error) {
	key := r.Engine + " " + r.Module
	if m := b.modules[key]; m != nil {
		return m, nil
	}
	e := b.engines[r.Engine]
	if e == nil {
		return nil, fmt.Errorf("there is no engine %q", r.Engine)
	}
	file, err := os.ReadFile(r.Module)
	if err != nil {
		return nil, err
	}
	m, err := e.compile(ctx, file)
	if err != nil {
		return nil, err
	}
	b.modules[key] = m
	return m, nil
}

// ready makes an instance that can take calls.
func ready(ctx context.Context, m module, r *request) (instance, error) {
	in, err := m.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	if err := in.reserve(ctx, r.Size); err != nil {
		return nil, errors.Join(err, in.close(ctx))
	}
	return in, nil
}

func argument(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = "0123456789abcdef"[i%16]
	}
	return b
}

func callOnce(ctx context.Context, in instance, r *request, argument []byte) error {
	result, err := in.call(ctx, r.Function, argument)
	if err == nil && (len(result) != len(argument) || result[0] != argument[0]) {
		err = errors.New("a guest returned something else")
	}
	return err
}

func first(ctx context.Context, m module, r *request) (float64, error) {
	text := argument(r.Size)
	start := time.Now()
	in, err := ready(ctx, m, r)
	if err != nil {
		return 0, err
	}
	err = callOnce(ctx, in, r, text)
	elapsed := time.Since(start)
	return float64(elapsed), errors.Join(err, in.close(ctx))
}

func fresh(ctx context.Context, m module, r *request) (float64, error) {
	text := argument(r.Size)
	start, n := time.Now(), 0
	for n == 0 || time.Since(start) < aBatch {
		n++
		in, err := ready(ctx, m, r)
		if err != nil {
			return 0, err
		}
		if err := errors.Join(callOnce(ctx, in, r, text), in.close(ctx)); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start)) / float64(n), nil
}

func (b *bench) calls(ctx context.Context, m module, r *request) (float64, error) {
	text := argument(r.Size)
	key := fmt.Sprint(r.Engine, r.Module, r.Function, r.Size)
	c := b.warm[key]
	if c == nil {
		in, err := ready(ctx, m, r)
		if err != nil {
			return 0, err
		}
		if err := in.settle(ctx); err != nil {
			return 0, err
		}
		c = &called{in: in, batch: 1}
		b.warm[key] = c
	}
	for {
		start := time.Now()
		for range c.batch {
			if err := callOnce(ctx, c.in, r, text); err != nil {
				return 0, err
			}
		}
		elapsed := time.Since(start)
		if elapsed >= aBatch {
			return float64(elapsed) / float64(c.batch), nil
		}
		c.batch *= 2
	}
}
