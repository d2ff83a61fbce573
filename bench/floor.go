package main

import (
	"context"
	"fmt"
	"time"

	"github.com/airlockvm/airlock/internal/guestmem"
	"github.com/airlockvm/airlock/internal/kvm"
)

func floorExperiments() []experiment {
	with := func(measure func(*bench, *rawKit) ([]row, error)) func(context.Context, *bench) ([]row, error) {
		return func(_ context.Context, b *bench) ([]row, error) {
			k, err := newRawKit()
			if err != nil {
				return nil, err
			}
			defer k.close()
			return measure(b, k)
		}
	}
	return []experiment{
		{sectionFloor, "creation, call by call", with((*bench).floorCreate)},
		{sectionFloor, "exits", with((*bench).floorExit)},
		{sectionFloor, "pages", with((*bench).floorPages)},
	}
}

// floorCreate times each call that makes a machine, and all of them: for the
// first machine there is, and for one beside another. The kernel patches its own
// code when the first comes and when the last goes, on every core.
func (b *bench) floorCreate(k *rawKit) ([]row, error) {
	rows, err := b.floorSteps(k)
	if err != nil {
		return nil, err
	}
	var second []row
	err = k.with(func(*rawVM) error {
		second, err = b.floorSteps(k)
		return err
	})
	if err != nil {
		return nil, err
	}
	second[0].Name += ", while another is open"
	return append(rows, second[0]), nil
}

// floorSteps makes and closes machines. Its first row is all of it, then comes
// one for each step.
func (b *bench) floorSteps(k *rawKit) ([]row, error) {
	const rounds = 200
	steps := append(k.steps(), k.registers(),
		step{"first run, to the first OUT", (*rawVM).leave}, step{"close everything", (*rawVM).close})
	each := make([]series, len(steps))
	var sum series
	for round := range b.times(rounds) + 1 {
		m, total := &rawVM{}, 0.0
		for i, s := range steps {
			start := time.Now()
			err := s.do(m)
			ns := float64(time.Since(start))
			if err != nil {
				_ = m.close() // the first error is the one that matters
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			total += ns
			if round > 0 { // the first warms up
				each[i] = append(each[i], ns)
			}
		}
		if round > 0 {
			sum = append(sum, total)
		}
	}
	rows := []row{alone("a machine: made, run once, closed", sum)}
	for i, s := range steps {
		rows = append(rows, alone("  "+s.name, each[i]))
	}
	return rows, nil
}

// floorExit times the ways out of a machine and back in.
func (b *bench) floorExit(k *rawKit) ([]row, error) {
	const batches, batch = 60, 300
	var exits, immediate series
	err := k.with(func(m *rawVM) error {
		for range b.times(batches) {
			start := time.Now()
			for range batch {
				if err := m.leave(); err != nil {
					return err
				}
			}
			exits = append(exits, float64(time.Since(start))/batch)
		}
		m.vcpu.RequestExit()
		defer m.vcpu.ClearExitRequest()
		for range b.times(batches) {
			start := time.Now()
			for range batch {
				if _, err := m.vcpu.Run(); err != nil {
					return err
				}
			}
			immediate = append(immediate, float64(time.Since(start))/batch)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return []row{
		alone("exit by OUT and back in", exits),
		alone("KVM_RUN that returns at once (immediate_exit)", immediate),
	}, nil
}

// floorPages times what a page costs when the guest writes to it first, when the
// host has it already, and when the host is asked for many in one call.
func (b *bench) floorPages(k *rawKit) ([]row, error) {
	const machines, pages = 30, 1024
	var fresh, present, populate series
	perPage := func(list *series, do func() error) error {
		start := time.Now()
		if err := do(); err != nil {
			return err
		}
		*list = append(*list, float64(time.Since(start))/pages)
		return nil
	}
	for range b.times(machines) {
		touched := func(list *series) func(*rawVM) error {
			return func(m *rawVM) error {
				if err := m.settle(); err != nil {
					return err
				}
				return perPage(list, func() error { return k.touch(m, pages) })
			}
		}
		if err := k.with(touched(&fresh)); err != nil {
			return nil, err
		}
		err := k.with(func(m *rawVM) error {
			err := perPage(&populate, func() error { return m.memory.Prefault(rawFresh, pages*guestmem.PageSize) })
			if err != nil {
				return err
			}
			return touched(&present)(m)
		})
		if err != nil {
			return nil, err
		}
	}
	return []row{
		alone("first write to a page by the guest", fresh),
		alone("  to one that the host has already", present),
		alone("page populated by the host (MADV_POPULATE_WRITE)", populate),
	}, nil
}

// settle completes the last exit, so that registers can be set.
func (m *rawVM) settle() error {
	m.vcpu.RequestExit()
	defer m.vcpu.ClearExitRequest()
	for {
		reason, err := m.vcpu.Run()
		if err != nil || reason == kvm.ExitIntr {
			return err
		}
	}
}
