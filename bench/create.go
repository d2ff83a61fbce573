package main

import (
	"context"
	"time"

	"github.com/airlockvm/airlock"
)

// createShare is the part of New that may be Airlock's own.
const createShare = 0.20

// stream is how many sandboxes are made and closed without a pause.
const stream = 50

func createExperiments() []experiment {
	return []experiment{{sectionCreate, "New", create}}
}

// create measures New beside the calls into the kernel that it consists of. What
// it has above that is Airlock's own: checks, locks, the pages of guest memory
// that it writes to.
func create(ctx context.Context, b *bench) ([]row, error) {
	const rounds, streams, loads = 300, 5, 40
	p := &b.programs.helloGo
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	k, err := newRawKit()
	if err != nil {
		return nil, err
	}
	defer k.close()
	made, err := interleave(b.times(rounds), rested(newSandbox(ctx, p.guest)), rested(k.newVM))
	if err != nil {
		return nil, err
	}
	streamed, err := interleave(b.times(streams), repeated(newSandbox(ctx, p.guest)), repeated(k.newVM))
	if err != nil {
		return nil, err
	}
	first, err := interleave(b.times(loads), rested(timed(func() error { return loadAndCreate(ctx, p.path) })))
	if err != nil {
		return nil, err
	}
	return []row{
		against("New", made[0], made[1], shares(made[0], made[1]), atMost(createShare)),
		against("New and Close, one after the other", streamed[0], streamed[1], shares(streamed[0], streamed[1]), nil),
		alone("LoadGuest of a Go program, and the first New and Close", first[0]),
	}, nil
}

// shares are the parts of whole that floor doesn't explain.
func shares(whole, floor series) series {
	share := make(series, len(whole))
	for i := range share {
		share[i] = (whole[i] - floor[i]) / whole[i]
	}
	return share
}

// newSandbox is the sample of New; Close is not in it.
func newSandbox(ctx context.Context, guest *airlock.Guest) sample {
	return func() (float64, error) {
		start := time.Now()
		sb, err := airlock.New(ctx, guest, airlock.Options{Memory: rawMemory})
		if err != nil {
			return 0, err
		}
		elapsed := time.Since(start)
		return float64(elapsed), sb.Close()
	}
}

// newVM is the sample of the same by hand.
func (k *rawKit) newVM() (float64, error) {
	start := time.Now()
	m := &rawVM{}
	for _, s := range k.steps() {
		if err := s.do(m); err != nil {
			_ = m.close() // the first error is the one that matters
			return 0, err
		}
	}
	elapsed := time.Since(start)
	return float64(elapsed), m.close()
}

// repeated is how long each of many takes, with all that follows from it.
func repeated(take sample) sample {
	return rested(func() (float64, error) {
		start := time.Now()
		for range stream {
			if _, err := take(); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start)) / stream, nil
	})
}

// loadAndCreate is what somebody pays who runs a program once: its file is read,
// checked and laid out in memory, and then there is a sandbox.
func loadAndCreate(ctx context.Context, path string) error {
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		return err
	}
	sb, err := airlock.New(ctx, guest, airlock.Options{Memory: rawMemory})
	if err != nil {
		return err
	}
	return sb.Close()
}
