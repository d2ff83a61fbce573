package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/airlockvm/airlock"
)

// What is promised of Airlock beside what one would use instead.
const (
	restoreToWazero      = 1.0 // a call and a restore, guest in C, in making an instance and calling it
	restoreToOthers      = 0.5 // the same with a guest in Go, in any other's making and calling
	computeToWazeroTimes = 3.0 // wazero's time in Airlock's, geometric mean
)

// airlockWay is a way to use Airlock that has a column of its own.
type airlockWay struct {
	who     string
	options airlock.Options
	// hot says that a guest keeps a processor for a while after a call.
	hot bool
}

// airlockWays are the ways in which calls are measured. The first is what all
// others are compared with, and what promises are about.
func airlockWays() []airlockWay {
	return []airlockWay{{who: whoAirlock}, {whoHot, airlock.Options{Spin: hotSpin}, true}}
}

// sample is the sample of calls of a sandbox. Hot ones are measured when others
// like them went before, and leave a processor to who is measured next.
func (w airlockWay) sample(call func() error) sample {
	take := lasting(aBatch, call)
	if !w.hot {
		return take
	}
	return func() (float64, error) {
		if _, err := take(); err != nil {
			return 0, err
		}
		ns, err := take()
		time.Sleep(hotRest)
		return ns, err
	}
}

// language is a column's guest in one of the two.
type language struct {
	name   string
	called *program // by Airlock
	plain  *program // as a process
	wasm   *wasmModule
}

func (b *bench) languages() []language {
	return []language{
		{"C", &b.programs.callsC, &b.programs.plainC, &b.modules.plainC},
		{"Go", &b.programs.callsGo, &b.programs.plainGo, &b.modules.plainGo},
	}
}

// aBatch is how long a sample of calls takes at least, as in peers.
const aBatch = time.Millisecond

// besideCall is a call that all contenders can make.
type besideCall struct {
	name, airlock, wasm string // functions, but the first
	pipe                byte
	size, exits, rounds int
}

func besideExperiments() []experiment {
	list := []experiment{
		{sectionBeside, "first answer of a new one", besideFirst},
		{sectionBeside, "a new one for each call", besideFresh},
	}
	for _, c := range []besideCall{
		{"echo of 64 bytes", "Echo", "echo", 'e', 64, 1, 100},
		{"64 bytes by way of the host", "Ask", "ask", 'a', 64, 2, 100},
		{"echo of 64 KiB", "EchoBytes", "echo", 'e', 64 << 10, 1, 60},
		{"echo of 1 MiB", "EchoBytes", "echo", 'e', 1 << 20, 1, 40},
	} {
		list = append(list, experiment{sectionBeside, c.name, func(ctx context.Context, b *bench) ([]row, error) { return nil, b.besideCalls(ctx, &c) }})
	}
	return append(list, experiment{sectionBeside, "compute", besideCompute})
}

// each runs a comparison for both languages. Where one has no compiler, the
// other is measured all the same.
func (b *bench) each(ctx context.Context, do func(language) ([]row, error)) (rows []row, err error) {
	for _, l := range b.languages() {
		err := l.called.build(ctx, b.temp)
		if err == nil {
			err = l.plain.build(ctx, b.temp)
		}
		if errors.Is(err, errNoCompiler) {
			b.lack(err)
			continue
		}
		var more []row
		if err == nil {
			more, err = do(l)
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// callee is a warm sandbox of a way to use Airlock.
func (b *bench) callee(ctx context.Context, l language, w airlockWay, size int) (*airlock.Sandbox, error) {
	options := w.options
	options.HostFuncs = askFunction()
	if size > airlock.DefaultMessageSize/2 {
		options.Memory, options.MessageSize = 256<<20, int64(size+size/8)
	}
	sb, err := airlock.New(ctx, l.called.guest, options)
	if err != nil {
		return nil, err
	}
	if _, err := sb.Call(ctx, "Settle"); err != nil {
		return nil, errors.Join(err, sb.Close())
	}
	return sb, nil
}

func askFunction() airlock.HostFuncs {
	return airlock.HostFuncs{"Ask": airlock.Func(func(text string) (string, error) { return text, nil })}
}

func (b *bench) besideCalls(ctx context.Context, c *besideCall) error {
	k, err := newRawKit()
	if err != nil {
		return err
	}
	defer k.close()
	_, err = b.each(ctx, func(l language) (rows []row, err error) {
		return nil, k.with(func(m *rawVM) error { return b.besideCallsOf(ctx, c, l, m) })
	})
	return err
}

// besideCallsOf measures calls of warm guests in one language.
func (b *bench) besideCallsOf(ctx context.Context, c *besideCall, l language, m *rawVM) error {
	argument := bytes.Repeat([]byte("0123456789abcdef"), c.size/16)
	var sides []side
	for _, w := range airlockWays() {
		sb, err := b.callee(ctx, l, w, c.size)
		if err != nil {
			return err
		}
		defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
		call := returnsBytes(c.airlock, argument, len(argument))
		if c.airlock != "EchoBytes" {
			call = returnsText(c.airlock, string(argument))
		}
		sides = append(sides, side{w.who, w.sample(func() error { return call(ctx, sb) })})
	}
	p, err := startPipe(ctx, l.plain.path)
	if err != nil {
		return err
	}
	defer p.close() //nolint:errcheck // it has answered
	sides = append(sides,
		side{whoFloor, lasting(aBatch, func() error {
			for range c.exits {
				if err := m.leave(); err != nil {
					return err
				}
			}
			return nil
		})},
		side{whoProcess, lasting(aBatch, func() error { return p.call(c.pipe, argument) })})
	sides = append(sides, b.wasmSides(ctx, l.wasm, peerRequest{What: "call", Function: c.wasm, Size: c.size}, itsTime)...)
	_, err = b.compare(c.name+", guest in "+l.name, c.rounds, sides)
	return err
}

func returnsText(function, text string) func(context.Context, *airlock.Sandbox) error {
	return func(ctx context.Context, sb *airlock.Sandbox) error {
		got, err := airlock.Call[string](ctx, sb, function, text)
		return expect(got == text, err)
	}
}

// withReady takes a snapshot of a guest that has answered a call, for the length
// of a call of use.
func (b *bench) withReady(ctx context.Context, l language, use func(*airlock.Snapshot) error) error {
	sb, err := airlock.New(ctx, l.called.guest, airlock.Options{HostFuncs: askFunction()})
	if err != nil {
		return err
	}
	defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
	if err := echo(echoText)(ctx, sb); err != nil {
		return err
	}
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		return err
	}
	defer snap.Close() //nolint:errcheck // as above
	return use(snap)
}

// besideFirst measures from nothing to an answer.
func besideFirst(ctx context.Context, b *bench) ([]row, error) {
	const rounds = 60
	k, err := newRawKit()
	if err != nil {
		return nil, err
	}
	defer k.close()
	return b.each(ctx, func(l language) ([]row, error) {
		return nil, b.withReady(ctx, l, func(snap *airlock.Snapshot) error {
			raw, err := newRawClone(k, l.called.path, echoCall)
			if err != nil {
				return err
			}
			defer raw.close()
			sides := []side{
				{whoAirlock, rested(b.clone(ctx, snap))}, {whoFloor, rested(raw.first)}, {whoProcess, rested(firstOfProcess(ctx, l))},
			}
			sides = append(sides, b.wasmSides(ctx, l.wasm, peerRequest{What: "first", Function: "echo", Size: len(echoText)}, itsTime)...)
			_, err = b.compare("new one's first answer, guest in "+l.name, rounds, sides)
			return err
		})
	})
}

// clone is the sample of a new sandbox's first answer.
func (b *bench) clone(ctx context.Context, snap *airlock.Snapshot) sample {
	return func() (float64, error) {
		start := time.Now()
		sb, err := snap.New(ctx, airlock.Options{HostFuncs: askFunction()})
		if err != nil {
			return 0, err
		}
		err = echo(echoText)(ctx, sb)
		elapsed := time.Since(start)
		return float64(elapsed), errors.Join(err, sb.Close())
	}
}

func firstOfProcess(ctx context.Context, l language) sample {
	return func() (float64, error) {
		start := time.Now()
		p, err := startPipe(ctx, l.plain.path)
		if err != nil {
			return 0, err
		}
		err = p.call('e', []byte(echoText))
		elapsed := time.Since(start)
		return float64(elapsed), errors.Join(err, p.close())
	}
}

// besideFresh measures what it costs to have each call answered by one that
// nobody has used: for Airlock, a call and a restore; for others, to make one,
// call it, and throw it away.
func besideFresh(ctx context.Context, b *bench) ([]row, error) {
	const rounds = 60
	return b.each(ctx, func(l language) (rows []row, err error) {
		err = b.withReady(ctx, l, func(snap *airlock.Snapshot) error {
			var sides []side
			for _, w := range airlockWays() {
				options := w.options
				options.HostFuncs = askFunction()
				sb, err := snap.New(ctx, options)
				if err != nil {
					return err
				}
				defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
				sides = append(sides, side{w.who, w.sample(func() error {
					if err := echo(echoText)(ctx, sb); err != nil {
						return err
					}
					return sb.Restore(ctx, snap)
				})})
			}
			sides = append(sides, side{whoProcess, lasting(aBatch, func() error {
				p, err := startPipe(ctx, l.plain.path)
				if err != nil {
					return err
				}
				return errors.Join(p.call('e', []byte(echoText)), p.close())
			})})
			sides = append(sides, b.wasmSides(ctx, l.wasm, peerRequest{What: "fresh", Function: "echo", Size: len(echoText)}, itsTime)...)
			c, err := b.compare("call of one as new, guest in "+l.name, rounds, sides)
			if err != nil {
				return err
			}
			rows = freshPromises(c, l)
			return nil
		})
		return rows, err
	})
}

func freshPromises(c *comparison, l language) []row {
	if l.name == "C" {
		return slices.Concat(c.promise(whoWazero, nil), c.promise(whoWazeroStop, atMost(restoreToWazero)),
			c.promise(whoProcess, atMost(restoreToOthers)))
	}
	var rows []row
	for _, who := range append([]string{whoProcess}, engines()...) {
		rows = append(rows, c.promise(who, atMost(restoreToOthers))...)
	}
	return rows
}

// besideCompute measures work by the programs' own clocks. Without other
// runtimes it would only measure what the section compute measures better.
func besideCompute(ctx context.Context, b *bench) ([]row, error) {
	const rounds, times = 5, "3"
	if b.runtimes(ctx) == nil {
		return nil, nil
	}
	var slower series
	for _, work := range computeWorks() {
		p, m := work.choose(b.programs), &b.modules.computeGo
		if p == &b.programs.computeC {
			m = &b.modules.computeC
		}
		if err := p.build(ctx, b.temp); errors.Is(err, errNoCompiler) {
			b.lack(err)
			continue
		} else if err != nil {
			return nil, err
		}
		printed := func(run func(context.Context, ...string) (string, error)) sample {
			return func() (float64, error) {
				text, err := run(ctx, work.work, times)
				return secondOf(text, err)
			}
		}
		sides := []side{{whoAirlock, printed(p.inside)}, {whoProcess, printed(p.native)}}
		args := []string{"compute", work.work, times}
		sides = append(sides, b.wasmSides(ctx, m, peerRequest{What: "run", Args: args}, func(a *peerAnswer) (float64, error) {
			return secondOf(a.Output, nil)
		})...)
		c, err := b.compare(work.name, rounds, sides)
		if err != nil {
			return nil, err
		}
		if other := c.taken[whoWazero]; other != nil {
			slower = append(slower, ratios(other, c.taken[whoAirlock]).median())
		}
	}
	if len(slower) == 0 {
		return nil, nil
	}
	name := fmt.Sprintf("compute: wazero's time in Airlock's, geometric mean of %d", len(slower))
	return []row{counted(name, slower.geometricMean(), b.times(rounds), atLeast(computeToWazeroTimes))}, nil
}

// secondOf is the fastest time that a program printed but the first.
func secondOf(text string, err error) (float64, error) {
	if err != nil {
		return 0, err
	}
	list, err := numbers(text)
	if err != nil {
		return 0, fmt.Errorf("%w: %.80q", err, text)
	}
	return list[1:].fastest(), nil
}
