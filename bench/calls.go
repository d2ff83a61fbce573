package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// What is promised of calls: multiples of leaving a machine and coming back,
// which each of them does once, or twice if it calls the host; and allocations.
const (
	echoExitsGo = 1.35
	echoExitsC  = 1.25
	hostExits   = 2.5
	echoObjects = 4
)

// workload is a call that is made again and again.
type workload struct {
	name    string
	options airlock.Options
	// A sample is the mean of a batch, short enough that what disturbs the machine
	// is in the sample of raw exits beside it too.
	rounds, batch int

	call    func(ctx context.Context, sb *airlock.Sandbox) error
	targets [2]*target // of a guest in Go, and of one in C
}

func callExperiments() []experiment {
	list := make([]experiment, 0, 6)
	for _, w := range workloads() {
		list = append(list, experiment{sectionCalls, w.name, func(ctx context.Context, b *bench) ([]row, error) {
			return b.calls(ctx, &w)
		}})
	}
	return append(list, experiment{sectionCalls, "allocations", allocations})
}

func workloads() []workload {
	const kib, megabyte = 1 << 10, 1_000_000
	text := strings.Repeat("0123456789abcdef", 4)
	large := sync.OnceValue(func() []byte { return bytes.Repeat([]byte("0123456789abcdef"), 50*megabyte/16) })
	return []workload{
		{name: "echo of 64 bytes", rounds: 300, batch: 25, targets: [2]*target{atMost(echoExitsGo), atMost(echoExitsC)}, call: echo(text)},
		{
			name: "echo of 64 bytes by way of the host", rounds: 300, batch: 25,
			targets: [2]*target{atMost(hostExits), atMost(hostExits)},
			call: func(ctx context.Context, sb *airlock.Sandbox) error {
				got, err := airlock.Call[string](ctx, sb, "Ask", text)
				return expect(got == text, err)
			},
		},
		{
			name: "echo of 64 KiB", rounds: 200, batch: 25, options: airlock.Options{MessageSize: 72 * kib},
			call: returnsBytes("EchoBytes", make([]byte, 64*kib), 64*kib),
		},
		{name: "24 KB in, 8 KB out", rounds: 200, batch: 25, call: returnsBytes("Third", make([]byte, 24_000), 8_000)},
		{
			name: "50 MB in", rounds: 40, batch: 1, options: airlock.Options{Memory: 512 << 20, MessageSize: 64 << 20},
			call: func(ctx context.Context, sb *airlock.Sandbox) error {
				got, err := airlock.Call[int64](ctx, sb, "Length", large())
				return expect(got == int64(len(large())), err)
			},
		},
	}
}

func echo(text string) func(context.Context, *airlock.Sandbox) error {
	return func(ctx context.Context, sb *airlock.Sandbox) error {
		got, err := airlock.Call[string](ctx, sb, "Echo", text)
		return expect(got == text, err)
	}
}

func returnsBytes(function string, in []byte, out int) func(context.Context, *airlock.Sandbox) error {
	return func(ctx context.Context, sb *airlock.Sandbox) error {
		got, err := airlock.Call[[]byte](ctx, sb, function, in)
		return expect(len(got) == out, err)
	}
}

func expect(right bool, err error) error {
	if err == nil && !right {
		return fmt.Errorf("a guest returned something else")
	}
	return err
}

// calls measures a call of a guest in Go and of one in C, in turn with a machine
// that does nothing but leave.
func (b *bench) calls(ctx context.Context, w *workload) ([]row, error) {
	k, err := newRawKit()
	if err != nil {
		return nil, err
	}
	defer k.close()
	var list []series
	err = k.with(func(m *rawVM) error {
		return b.withCallees(ctx, w.options, func(inGo, inC *airlock.Sandbox) error {
			call := func(sb *airlock.Sandbox) func() error { return func() error { return w.call(ctx, sb) } }
			list, err = interleave(b.times(w.rounds),
				batched(rawBatch, m.leave), batched(w.batch, call(inGo)), batched(w.batch, call(inC)))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	exits, inGo, inC := list[0], list[1], list[2]
	return []row{
		against(w.name+", guest in Go", inGo, exits, ratios(inGo, exits), w.targets[0]),
		against(w.name+", guest in C", inC, exits, ratios(inC, exits), w.targets[1]),
	}, nil
}

// rawBatch is how many exits make one sample, about as long as one of calls.
const rawBatch = 25

// batched is the sample of how long one of several takes.
func batched(n int, do func() error) sample {
	return func() (float64, error) {
		start := time.Now()
		for range n {
			if err := do(); err != nil {
				return 0, err
			}
		}
		return float64(time.Since(start)) / float64(n), nil
	}
}

// withCallees makes a sandbox with a guest in Go and one with a guest in C that
// have been at it for a while, for the length of a call of use.
func (b *bench) withCallees(ctx context.Context, options airlock.Options, use func(inGo, inC *airlock.Sandbox) error) error {
	options.HostFuncs = airlock.HostFuncs{"Ask": airlock.Func(func(text string) (string, error) { return text, nil })}
	var made []*airlock.Sandbox
	defer func() {
		for _, sb := range made {
			_ = sb.Close() // there is nothing in it that could be lost
		}
	}()
	for _, p := range []*program{&b.programs.callsGo, &b.programs.callsC} {
		if err := p.build(ctx, b.temp); err != nil {
			return err
		}
		sb, err := airlock.New(ctx, p.guest, options)
		if err != nil {
			return err
		}
		made = append(made, sb)
		if _, err := sb.Call(ctx, "Settle"); err != nil {
			return err
		}
	}
	return use(made[0], made[1])
}

// allocations counts what the host allocates for an echo. The guest doesn't
// matter, and the one in Go needs no C compiler.
func allocations(ctx context.Context, b *bench) ([]row, error) {
	const calls = 200
	p := &b.programs.callsGo
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	sb, err := airlock.New(ctx, p.guest, airlock.Options{
		HostFuncs: airlock.HostFuncs{"Ask": airlock.Func(func(text string) (string, error) { return text, nil })},
	})
	if err != nil {
		return nil, err
	}
	defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
	cancellable, cancel := context.WithCancel(context.Background())
	defer cancel()
	call := echo(strings.Repeat("0123456789abcdef", 4))
	var rows []row
	for _, c := range []struct {
		name string
		ctx  context.Context //nolint:containedctx // of the calls of this line
	}{
		{"allocations of an echo, with context.Background", context.Background()},
		{"allocations of an echo, with a context that can be cancelled", cancellable},
	} {
		n := testing.AllocsPerRun(calls, func() {
			if failed := call(c.ctx, sb); failed != nil {
				err = failed
			}
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, counted(c.name, n, calls, atMost(echoObjects)))
	}
	return rows, nil
}
