package test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// soak is how many restores TestManyRestores makes; "make soak" makes a million.
var soak = flag.Int("soak", 3000, "number of restores in TestManyRestores")

// snapshotGuest builds the guest that the library's own tests of snapshots use,
// and returns its file: a Guest would keep memory for as long as it is reachable.
var snapshotGuest = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "airlock-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // the system does it later
	path := filepath.Join(dir, "snapguest")
	build := exec.Command("go", "build", "-o", path, "./testdata/snapguest")
	build.Dir = ".."
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

var snapshotOptions = airlock.Options{
	HostFuncs: airlock.HostFuncs{"Weekday": airlock.Func(func() string { return "Monday" })},
}

func warmSnapshot(t *testing.T) *airlock.Snapshot {
	t.Helper()
	kvmtest.Require(t)
	file, err := snapshotGuest()
	if err != nil {
		t.Fatal(err)
	}
	g, err := airlock.NewGuest("snapguest", file)
	if err != nil {
		t.Fatal(err)
	}
	sb, err := airlock.New(t.Context(), g, snapshotOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // it never fails
	count(t, sb, 1)
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// count expects the guest's counter to become n.
func count(t *testing.T, to airlock.Callee, n int64) {
	t.Helper()
	got, err := airlock.Call[int64](t.Context(), to, "Count")
	if err != nil || got != n {
		t.Fatalf("Count = %d, %v, want %d", got, err, n)
	}
}

// flat fails if the process has more than before: descriptors, threads,
// mappings, memory.
func flat(t *testing.T, before inventory) {
	t.Helper()
	var report string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		after, err := census()
		if err != nil {
			t.Fatal(err)
		}
		if report = before.compare(after); report == "" && after.resources <= before.resources {
			return
		}
	}
	t.Errorf("left behind:\n%s", report)
}

// TestManyClones makes 2000 sandboxes of one snapshot, 200 at a time.
func TestManyClones(t *testing.T) {
	total, atOnce := 2000, 200
	if testing.Short() {
		total, atOnce = 200, 50
	}
	snap := warmSnapshot(t)
	defer snap.Close() //nolint:errcheck // it never fails
	round := func() {
		list := make([]*airlock.Sandbox, atOnce)
		for i := range list {
			var err error
			if list[i], err = snap.New(t.Context(), snapshotOptions); err != nil {
				t.Fatal(err)
			}
			count(t, list[i], 2)
		}
		for _, sb := range list {
			count(t, sb, 3) // with all the others there
			if err := sb.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	round()
	time.Sleep(100 * time.Millisecond) // the last are taken apart
	before, err := census()
	if err != nil {
		t.Fatal(err)
	}
	for made := atOnce; made < total; made += atOnce {
		round()
	}
	flat(t, before)
}

// TestManyRestores restores one sandbox again and again, after calls that write
// to the same pages, to others, and to many.
func TestManyRestores(t *testing.T) {
	snap := warmSnapshot(t)
	defer snap.Close() //nolint:errcheck // it never fails
	sb, err := snap.New(t.Context(), snapshotOptions)
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close() //nolint:errcheck // it never fails
	round := func(i int) {
		count(t, sb, 2)
		if i%50 == 0 {
			if _, err := sb.Call(t.Context(), "Grow", i/50%200, i); err != nil {
				t.Fatal(err)
			}
		}
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 500 {
		round(i)
	}
	before, err := census()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	for i := range *soak {
		round(i)
	}
	t.Logf("%d calls and restores, %v each", *soak, time.Since(start)/time.Duration(*soak))
	flat(t, before)
}
