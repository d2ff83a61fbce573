package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/airlockvm/airlock"
)

const bootRounds = 150

func bootExperiments() []experiment {
	return []experiment{
		{sectionBoot, "C hello", func(ctx context.Context, b *bench) ([]row, error) {
			return b.boot(ctx, &b.programs.helloC, "C hello", atMost(4))
		}},
		{sectionBoot, "Go hello", func(ctx context.Context, b *bench) ([]row, error) {
			return b.boot(ctx, &b.programs.helloGo, "Go hello", atMost(5))
		}},
	}
}

// boot measures a program from nothing to its end in a sandbox, and as a
// process. That the file was read and checked before is fair: the kernel has
// the native one in its page cache too.
func (b *bench) boot(ctx context.Context, p *program, name string, t *target) ([]row, error) {
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	var made, ran, closed series
	sandbox := func() error {
		phases, err := p.bootToExit(ctx)
		made, ran, closed = append(made, phases[0]), append(ran, phases[1]), append(closed, phases[2])
		return err
	}
	list, err := interleave(b.times(bootRounds),
		rested(timed(sandbox)), rested(timed(p.forkExec)), rested(timed(func() error { return p.osExec(ctx) })))
	if err != nil {
		return nil, err
	}
	inside, forked, usual := list[0], list[1], list[2]
	return []row{
		against(name+", New to Close", inside, forked, ratios(inside, forked), t),
		against("  the same beside os/exec", inside, usual, ratios(inside, usual), nil),
		alone("  of it New", made[1:]),
		alone("  of it Run", ran[1:]),
		alone("  of it Close", closed[1:]),
	}, nil
}

// bootToExit runs the program in a new sandbox, and returns how long making,
// running and closing it took.
func (p *program) bootToExit(ctx context.Context) (phases [3]float64, err error) {
	start := time.Now()
	lap := func(i int) {
		now := time.Now()
		phases[i] = float64(now.Sub(start))
		start = now
	}
	sb, err := airlock.New(ctx, p.guest, airlock.Options{})
	if err != nil {
		return phases, err
	}
	lap(0)
	code, err := sb.Run(ctx, airlock.Process{Env: programEnv(), Stdout: io.Discard})
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d", code)
	}
	lap(1)
	err = errors.Join(err, sb.Close())
	lap(2)
	return phases, err
}
