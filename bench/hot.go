package main

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/airlockvm/airlock"
)

// What is promised of hot calls: parts of leaving a machine and coming back, and
// multiples of each other.
const (
	hotEchoC    = 0.07
	hotEchoGo   = 0.08
	hotHostEcho = 2.2
)

const (
	// hotSpin is the Spin of the sandboxes: more than a busy machine takes from either side.
	hotSpin = 500 * time.Microsecond
	// hotRest is for how long nothing is called before something else is measured:
	// the guest has then left its processor.
	hotRest = 2 * time.Millisecond
	hotWarm = 500
	// So many calls, and words, take about a tenth of a millisecond each: most samples
	// are over before the hypervisor below takes a processor away, and what it does to
	// the others is as likely to hit either side.
	hotBatch  = 200
	hotPasses = 800
)

func hotExperiments() []experiment {
	return []experiment{{sectionHot, "hot calls", hotCalls}, {sectionHot, "idle sandboxes", idle}}
}

// hotCalls measures hot echoes, and those by way of the host, in turn with exits
// and with a program of a few instructions that does nothing but answer.
func hotCalls(ctx context.Context, b *bench) ([]row, error) {
	if min(runtime.NumCPU(), runtime.GOMAXPROCS(0)) < 2 {
		return nil, fmt.Errorf("hot calls need two processors")
	}
	k, err := newRawKit()
	if err != nil {
		return nil, err
	}
	defer k.close()
	var list []series
	text := strings.Repeat("0123456789abcdef", 4)
	err = k.with(func(m *rawVM) error {
		return b.withCallees(ctx, airlock.Options{Spin: hotSpin}, func(inGo, inC *airlock.Sandbox) error {
			call := func(sb *airlock.Sandbox, function string) sample {
				return hotBatched(func() error {
					got, err := airlock.Call[string](ctx, sb, function, text)
					return expect(got == text, err)
				})
			}
			const rounds = 400
			list, err = interleave(b.times(rounds), k.pingPong(m), batched(rawBatch, m.leave),
				call(inGo, "Echo"), call(inC, "Echo"), call(inGo, "Ask"), call(inC, "Ask"))
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	pong, exits, echoGo, echoC, askGo, askC := list[0], list[1], list[2], list[3], list[4], list[5]
	return []row{
		alone("a word from one processor to another and back", pong),
		against("echo of 64 bytes, guest in Go, to an exit", echoGo, exits, ratios(echoGo, exits), atMost(hotEchoGo)),
		against("echo of 64 bytes, guest in C, to an exit", echoC, exits, ratios(echoC, exits), atMost(hotEchoC)),
		against("echo of 64 bytes, guest in Go, to a word there and back", echoGo, pong, ratios(echoGo, pong), nil),
		against("echo of 64 bytes, guest in C, to a word there and back", echoC, pong, ratios(echoC, pong), nil),
		against("the same by way of the host, to the hot echo, in Go", askGo, echoGo, ratios(askGo, echoGo), atMost(hotHostEcho)),
		against("the same by way of the host, to the hot echo, in C", askC, echoC, ratios(askC, echoC), atMost(hotHostEcho)),
	}, nil
}

// hotBatched is the sample of a call when others like it went before.
func hotBatched(do func() error) sample {
	take := batched(hotBatch, do)
	warm := batched(hotWarm, do)
	return func() (float64, error) {
		time.Sleep(hotRest)
		if _, err := warm(); err != nil {
			return 0, err
		}
		return take()
	}
}

// pingPong is the sample of how long a word takes to a raw machine and back.
func (k *rawKit) pingPong(m *rawVM) sample {
	const stop = ^uint32(0)
	return func() (float64, error) {
		time.Sleep(hotRest)
		ping, err := m.memory.Word32(rawPing)
		if err != nil {
			return 0, err
		}
		pong, err := m.memory.Word32(rawPong)
		if err != nil {
			return 0, err
		}
		ping.Store(0)
		pong.Store(0)
		regs := k.state.Regs
		regs.RIP, regs.RDI, regs.RSI, regs.RBX = rawAnswer, rawPing, rawPong, 0
		if err := m.vcpu.SetRegs(&regs); err != nil {
			return 0, err
		}
		left := make(chan error, 1)
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			left <- m.leave()
		}()
		pass := func(first, count uint32) {
			for n := first; n < first+count; n++ {
				ping.Store(n)
				for pong.Load() != n { //nolint:revive // a spin
				}
			}
		}
		pass(1, hotWarm)
		start := time.Now()
		pass(1+hotWarm, hotPasses)
		took := float64(time.Since(start)) / hotPasses
		ping.Store(stop)
		return took, <-left
	}
}

const (
	idleSandboxes = 1000
	idleSeconds   = 3
	// idleTime is the milliseconds of processor time a second that they may take:
	// those of the measuring program's own runtime.
	idleTime = 1
)

// idle counts the processor time of sandboxes that have been called and wait.
func idle(ctx context.Context, b *bench) ([]row, error) {
	p := &b.programs.callsGo
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	options := airlock.Options{HostFuncs: airlock.HostFuncs{"Ask": airlock.Func(func(text string) (string, error) { return text, nil })}}
	first, err := airlock.New(ctx, p.guest, options)
	if err != nil {
		return nil, err
	}
	defer first.Close() //nolint:errcheck // there is nothing in it that could be lost
	snap, err := first.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer snap.Close() //nolint:errcheck // nothing can fail
	call := echo("text")
	options.Spin = hotSpin
	for range idleSandboxes {
		sb, err := snap.New(ctx, options)
		if err != nil {
			return nil, err
		}
		defer sb.Close() //nolint:errcheck // there is nothing in it that could be lost
		for range 2 {
			if err := call(ctx, sb); err != nil {
				return nil, err
			}
		}
	}
	debug.FreeOSMemory() // or Go's runtime gives memory of what was measured before back meanwhile
	time.Sleep(time.Second)
	before, err := processorTime()
	if err != nil {
		return nil, err
	}
	time.Sleep(idleSeconds * time.Second)
	after, err := processorTime()
	if err != nil {
		return nil, err
	}
	ms := float64(after-before) / float64(time.Millisecond) / idleSeconds
	return []row{counted(fmt.Sprintf("ms of processor time a second, of %d idle sandboxes", idleSandboxes), ms, 1, atMost(idleTime))}, nil
}

func processorTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
