package airlock_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// step is one call whose answer depends on nothing but the calls before it.
type step struct {
	name string
	args []any
}

func randomStep(random *rand.Rand, blocks int64) step {
	switch random.IntN(6) {
	case 0:
		return step{"Count", nil}
	case 1:
		return step{"Set", []any{fmt.Sprint(random.Uint64())}}
	case 2:
		return step{"Get", nil}
	case 3:
		return step{"Grow", []any{random.Int64N(blocks), random.Int64()}}
	case 4:
		return step{"Threads", []any{random.Int64N(60)}}
	default:
		return step{"Drawn", nil}
	}
}

// spoil leaves a sandbox in any state: after calls, in poison, or untouched.
func spoil(t *testing.T, sb *airlock.Sandbox, random *rand.Rand, blocks int64) {
	t.Helper()
	for range random.IntN(4) {
		s := randomStep(random, blocks)
		if _, err := sb.Call(t.Context(), s.name, s.args...); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
	}
	switch random.IntN(4) {
	case 0:
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(3000))*time.Microsecond)
		defer cancel()
		_, _ = sb.Call(ctx, "Spin")
	case 1:
		_, _ = sb.Call(t.Context(), "Fault")
	}
}

// TestRestoredLikeFresh makes random sequences of calls in a sandbox that was
// just started and in one that was restored after anything at all: their answers
// must be the same. Right after the restore its memory must be the snapshot's,
// byte for byte.
func TestRestoredLikeFresh(t *testing.T) {
	t.Parallel()
	rounds := 40
	if testing.Short() {
		rounds = 8
	}
	// Started once, and never called: fresh.
	start := newSnapshot(t, nil)
	restored, blocks := clone(t, start), manyBlocks(t)
	for seed := range rounds {
		random := rand.New(rand.NewPCG(uint64(seed), 5))
		spoil(t, restored, random, blocks)
		if err := restored.Restore(t.Context(), start); err != nil {
			t.Fatal(err)
		}
		sameMemory(t, restored, start)
		fresh := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
		for i := range 6 {
			s := randomStep(random, blocks)
			want, err := fresh.Call(t.Context(), s.name, s.args...)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := restored.Call(t.Context(), s.name, s.args...); err != nil || got != want {
				t.Fatalf("seed %d, call %d, %v: %v, %v in the restored sandbox, %v in the fresh one", seed, i, s, got, err, want)
			}
		}
		if err := fresh.Close(); err != nil {
			t.Fatal(err)
		}
	}
	changedTables(t, restored.Stats().FullRestores)
}

// sameMemory compares a sandbox that was just restored with the snapshot.
func sameMemory(t *testing.T, sb *airlock.Sandbox, want *airlock.Snapshot) {
	t.Helper()
	got, err := airlock.Capture(t.Context(), sb)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Close() //nolint:errcheck // checked elsewhere
	if difference := airlock.Difference(got, want); difference != "" {
		t.Fatalf("after a restore: %s", difference)
	}
}

// TestLoadedGeneration: a guest that has been restored before it was saved notices that
// it was loaded, each time, and draws other numbers.
func TestLoadedGeneration(t *testing.T) {
	t.Parallel()
	snap, seen := newSnapshot(t, nil), map[string]bool{}
	for round := range int64(3) {
		for range 2 {
			sb := clone(t, snap)
			number := call[string](t, sb, "Random")
			if n := call[int64](t, sb, "Restored"); n != round+1 || seen[number] {
				t.Fatalf("round %d: it was restored %d times, and drew %s (before: %t)", round, n, number, seen[number])
			}
			seen[number] = true
		}
		sb := clone(t, snap)
		call[int64](t, sb, "Count")
		next, err := sb.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer next.Close() //nolint:errcheck // checked elsewhere
		snap = loaded(t, saved(t, next), "")
	}
}
