package machine

import (
	"context"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/leak"
)

// usage is what the kernel says that this process holds.
type usage struct{ fds, mappings, threads int }

func currentUsage(t *testing.T) usage {
	t.Helper()
	count := func(dir string) int {
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	return usage{count("/proc/self/fd"), strings.Count(string(maps), "\n"), count("/proc/self/task")}
}

// TestNothingLeaks makes and closes 200 machines of each kind and asks the
// kernel what is left.
func TestNothingLeaks(t *testing.T) {
	sys := kvmtest.Require(t)
	im := tkImage(t, tkCode{entry: asm(func(c *code) { c.out(abi.PortExit).loop() })})
	cycle := func(r runner) {
		m, err := newMachine(sys, im, tkConfig, r)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Boot(Start{}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		m.Begin(ctx)
		hypercall(t, m, abi.PortExit)
		m.End()
		cancel()
		for range 2 {
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cycles := 200
	if testing.Short() {
		cycles = 10 // enough for an emulated machine
	}
	for range 5 + cycles/10 { // threads and heap of the Go runtime settle
		cycle(inlineRunner{})
		cycle(newThreadRunner())
	}
	open, goroutines, before := leak.Count(), runtime.NumGoroutine(), currentUsage(t)
	for range cycles {
		cycle(inlineRunner{})
		cycle(newThreadRunner())
	}
	// The runtime's own memory and threads vary a little.
	const slack = 10
	deadline := time.Now().Add(5 * time.Second)
	for {
		after := currentUsage(t)
		ok := after.fds <= before.fds && after.mappings <= before.mappings+slack && after.threads <= before.threads+slack &&
			runtime.NumGoroutine() <= goroutines && leak.Count() <= open
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the process has %+v and %d goroutines, before it had %+v and %d; open: %v",
				after, runtime.NumGoroutine(), before, goroutines, leak.Report())
		}
		time.Sleep(time.Millisecond)
	}
}

// TestFailedNew leaves nothing behind either.
func TestFailedNew(t *testing.T) {
	sys := kvmtest.Require(t)
	im, err := NewImage(tkKernel(tkCode{}), tkProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	for range maxDying { // what other tests have closed
		dying <- struct{}{}
	}
	t.Cleanup(func() {
		for range maxDying {
			<-dying
		}
	})
	bad := tkConfig
	bad.Memory++
	if m, err := New(sys, im, bad); err == nil || m != nil {
		t.Errorf("New() = %v, %v", m, err)
	}
	if err := im.Close(); err != nil {
		t.Fatal(err)
	}
	before := leak.Count()
	if m, err := New(sys, im, tkConfig); err == nil || m != nil {
		t.Errorf("New() with a closed image = %v, %v", m, err)
	}
	if n := leak.Count(); n != before {
		t.Errorf("%d resources are open, %d were", n, before)
	}
}
