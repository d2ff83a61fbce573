package main

import (
	"context"

	"github.com/airlockvm/airlock"
)

// createShare is the part of New and Close that may be Airlock's own.
const createShare = 0.20

func createExperiments() []experiment {
	return []experiment{{sectionCreate, "New and Close", create}}
}

// create measures New and Close beside the calls into the kernel that they
// consist of. What they have above that is Airlock's own: checks, locks, the
// pages of guest memory that it writes to.
func create(ctx context.Context, b *bench) ([]row, error) {
	const rounds = 300
	p := &b.programs.helloGo
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	k, err := newRawKit()
	if err != nil {
		return nil, err
	}
	defer k.close()
	sandbox := func() error {
		sb, err := airlock.New(ctx, p.guest, airlock.Options{Memory: rawMemory})
		if err != nil {
			return err
		}
		return sb.Close()
	}
	raw := func() error {
		m := &rawVM{}
		for _, s := range k.steps() {
			if err := s.do(m); err != nil {
				_ = m.close() // the first error is the one that matters
				return err
			}
		}
		return m.close()
	}
	list, err := interleave(b.times(rounds), timed(sandbox), timed(raw))
	if err != nil {
		return nil, err
	}
	const loads = 40
	first, err := interleave(b.times(loads), timed(func() error { return loadAndCreate(ctx, p.path) }))
	if err != nil {
		return nil, err
	}
	whole, floor := list[0], list[1]
	share := make(series, len(whole))
	for i := range share {
		share[i] = (whole[i] - floor[i]) / whole[i]
	}
	return []row{
		against("New and Close", whole, floor, share, atMost(createShare)),
		alone("LoadGuest of a Go program, and the first New and Close", first[0]),
	}, nil
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
