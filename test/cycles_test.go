package test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// cycles is how many sandboxes TestManyCycles makes; "make nightly" makes more.
var cycles = flag.Int("cycles", 10_000, "number of sandboxes in TestManyCycles")

// TestManyCycles makes sandboxes, calls them and closes them, one after the other:
// fresh ones and clones, some of them restored in between, some poisoned. In the
// end the process has what it had before.
func TestManyCycles(t *testing.T) {
	total := *cycles
	if testing.Short() {
		total = min(total, 600)
	}
	g := guest(t, "hostile-call_faults") // small, and can fault
	v := &victim{out: newOutput()}
	options := v.options(header{memory: 32 << 20})
	first, err := airlock.New(t.Context(), g, options)
	if err != nil {
		t.Fatal(err)
	}
	v.use(first)
	snap, err := first.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	v.close(t)
	defer snap.Close() //nolint:errcheck // it never fails
	for i := range 200 {
		cycle(t, v, g, snap, options, i)
	}
	before, resident := settledCensus(t)
	start := time.Now()
	for i := range total {
		cycle(t, v, g, snap, options, i)
		if t.Failed() {
			t.Fatalf("cycle %d", i)
		}
	}
	t.Logf("%d cycles, %v each", total, time.Since(start)/time.Duration(total))
	flat(t, before)
	after, now := settledCensus(t)
	if after.threads > before.threads+maxIdleThreads/4 {
		t.Errorf("%d threads instead of %d", after.threads, before.threads)
	}
	const slack = 64 << 20 // of Go's heap and of what the kernel counts late
	if now > resident+slack {
		t.Errorf("%d MiB are resident, %d were before", now>>20, resident>>20)
	}
	attacks.add("cycles of sandboxes", total, "closed")
}

// cycle makes a sandbox, fresh or of the snapshot, calls it and closes it.
func cycle(t *testing.T, v *victim, g *airlock.Guest, snap *airlock.Snapshot, options airlock.Options, i int) {
	t.Helper()
	var sb *airlock.Sandbox
	var err error
	if i%30 == 0 { // these take a processor each, and more time than the others
		options.Spin = airlock.SpinAlways
	}
	if i%4 == 0 {
		sb, err = airlock.New(t.Context(), g, options)
	} else {
		sb, err = snap.New(t.Context(), options)
	}
	if err != nil {
		t.Fatal(err)
	}
	v.use(sb)
	defer v.close(t)
	if i%5 == 0 {
		if _, err := sb.Call(t.Context(), "Attack", "opcode"); endOf(err) != "fault" {
			t.Fatalf("Attack: %v", err)
		}
	}
	if i%5 <= 1 {
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := v.honest(t.Context()); got != 43 || err != nil {
		t.Fatalf("Honest = %d, %v", got, err)
	}
}

// settledCensus counts what the process has when nothing is on its way out, and
// the bytes of its memory that are resident.
func settledCensus(t *testing.T) (inventory, int) {
	t.Helper()
	time.Sleep(100 * time.Millisecond)
	now, err := census()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int
	if _, err := fmt.Fscan(strings.NewReader(string(text)), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return now, pages * os.Getpagesize()
}
