package airlock_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/airlockvm/airlock/internal/snapfile"
)

// saved saves a snapshot to a new directory.
func saved(tb testing.TB, snap *airlock.Snapshot) (dir string) {
	tb.Helper()
	dir = filepath.Join(tb.TempDir(), "snapshots")
	if err := snap.Save(tb.Context(), dir, ""); err != nil {
		tb.Fatal(err)
	}
	return dir
}

func loaded(tb testing.TB, dir, tag string) *airlock.Snapshot {
	tb.Helper()
	snap, err := airlock.LoadSnapshot(tb.Context(), dir, tag)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := snap.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return snap
}

func TestSaveLoad(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, func(sb *airlock.Sandbox) {
		call[struct{}](t, sb, "Set", "saved")
		call[int64](t, sb, "Count")
	})
	dir := saved(t, snap)
	again := loaded(t, dir, "latest")
	if !snap.Trusted() || !again.Trusted() {
		t.Errorf("restoring is slow: before %v, after %v", !snap.Trusted(), !again.Trusted())
	}
	if again.Memory() != snap.Memory() || again.Size() != snap.Size() || again.MessageSize() != airlock.DefaultMessageSize ||
		fmt.Sprint(again.Functions()) != fmt.Sprint(snap.Functions()) {
		t.Errorf("loaded %d, %d, %v", again.Memory(), again.Size(), again.Functions())
	}
	for range 2 {
		sb := clone(t, again)
		for round := range 5 {
			if got := call[string](t, sb, "Get"); got != "saved" {
				t.Fatalf("round %d: Get = %q", round, got)
			}
			if got := call[int64](t, sb, "Count"); got != 2 {
				t.Fatalf("round %d: Count = %d", round, got)
			}
			call[int64](t, sb, "Grow", int64(20), int64(1))
			call[struct{}](t, sb, "Set", "after")
			if got := call[int64](t, sb, "Restored"); got != 1 {
				t.Fatalf("round %d: the hook ran %d times", round, got)
			}
			if err := sb.Restore(t.Context(), again); err != nil {
				t.Fatal(err)
			}
		}
	}
	// A sandbox that was made from the program goes there and back.
	sb := newSandbox(t, "snapguest", airlock.Options{HostFuncs: snapHosts()})
	for range 2 {
		if err := sb.Restore(t.Context(), again); err != nil {
			t.Fatal(err)
		}
		if got := call[string](t, sb, "Get"); got != "saved" {
			t.Errorf("Get = %q", got)
		}
	}
}

// TestSaveAgain saves what was loaded: nothing has changed, so nothing is new.
func TestSaveAgain(t *testing.T) {
	t.Parallel()
	dir := saved(t, newSnapshot(t, nil))
	before := files(t, dir)
	first := loaded(t, dir, "")
	if err := first.Save(t.Context(), dir, "copy"); err != nil {
		t.Fatal(err)
	}
	if after := files(t, dir); after != before {
		t.Errorf("blobs were\n%s\nand are\n%s", before, after)
	}
	// One of a clone of it is another, and goes on from there.
	sb := clone(t, loaded(t, dir, "copy"))
	call[struct{}](t, sb, "Set", "later")
	next, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer next.Close()
	if !next.Trusted() {
		t.Error("restoring to a snapshot of a clone is slow")
	}
	if err := next.Save(t.Context(), dir, "copy"); err != nil {
		t.Fatal(err)
	}
	if got := call[string](t, clone(t, loaded(t, dir, "copy")), "Get"); got != "later" {
		t.Errorf("Get = %q", got)
	}
	if got := call[string](t, clone(t, first), "Get"); got == "later" {
		t.Error("a snapshot in use was changed")
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(list, "\n")
}

// TestLoadOutlivesFile deletes the directory.
func TestLoadOutlivesFile(t *testing.T) {
	t.Parallel()
	dir := saved(t, newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Set", "kept") }))
	snap := loaded(t, dir, "")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	sb := clone(t, snap)
	call[int64](t, sb, "Grow", int64(200), int64(1))
	if err := sb.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
	if got := call[string](t, sb, "Get"); got != "kept" {
		t.Errorf("Get = %q", got)
	}
}

// TestLoadTime expects clocks that went on with the wall clock, and never go back.
func TestLoadTime(t *testing.T) {
	t.Parallel()
	var before int64
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { before = call[int64](t, sb, "Elapsed") })
	dir, start := saved(t, snap), time.Now()
	time.Sleep(50 * time.Millisecond)
	check := func(what string, least, most time.Duration) {
		t.Helper()
		sb := clone(t, loaded(t, dir, ""))
		now := time.Duration(call[int64](t, sb, "Elapsed") - before)
		if now < least || now > most {
			t.Errorf("%s: the guest's clock went on by %v, not %v to %v", what, now, least, most)
		}
		wall := time.Unix(0, call[int64](t, sb, "Wall"))
		if off := time.Since(wall); off < -50*time.Millisecond || off > time.Second {
			t.Errorf("%s: the guest's wall clock is off by %v", what, off)
		}
	}
	check("at once", 50*time.Millisecond, time.Since(start)+5*time.Second)
	rewrite(t, dir, func(c *snapfile.Config) { c.Clock.Wall -= uint64(time.Hour) })
	check("an hour later", time.Hour, time.Hour+10*time.Second)
	rewrite(t, dir, func(c *snapfile.Config) { c.Clock.Wall += 10 * uint64(time.Hour) })
	check("by a clock that was set back", 0, 10*time.Second)
}

// rewrite changes the config of a snapshot on disk.
func rewrite(t *testing.T, dir string, change func(c *snapfile.Config)) {
	t.Helper()
	l, err := ocilayout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	stored, err := snapfile.Find(l, "latest")
	if err != nil {
		t.Fatal(err)
	}
	change(stored.Content)
	text, err := json.Marshal(stored.Content)
	if err != nil {
		t.Fatal(err)
	}
	memory, err := l.ReadBlob(stored.Memory, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	if err := snapfile.Write(t.Context(), dir, "latest", text, memory); err != nil {
		t.Fatal(err)
	}
}

// TestLoadedGuest has a name and nothing else.
func TestLoadedGuest(t *testing.T) {
	t.Parallel()
	snap := loaded(t, saved(t, newSnapshot(t, nil)), "")
	guest := snap.Guest()
	if info := guest.Info(); guest.Name() != "snapguest" || info.Name != "snapguest" || info.Kind != "snapshot" || len(info.Segments) != 0 {
		t.Errorf("the guest is %+v", info)
	}
	if _, err := airlock.New(t.Context(), guest, airlock.Options{}); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("New = %v", err)
	}
	sb := clone(t, snap)
	if _, err := sb.Run(t.Context(), airlock.Process{}); !errors.Is(err, airlock.ErrOptions) {
		t.Errorf("Run = %v", err)
	}
	call[int64](t, sb, "Count")
}

// TestLoadedFault stops a guest of which there are no symbols.
func TestLoadedFault(t *testing.T) {
	t.Parallel()
	first := newSandbox(t, "callguest", airlock.Options{HostFuncs: hosts()})
	taken, err := first.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	snap := loaded(t, saved(t, taken), "")
	sb, err := snap.New(t.Context(), airlock.Options{HostFuncs: hosts()})
	if err != nil {
		t.Fatal(err)
	}
	defer sb.Close()
	_, err = sb.Call(t.Context(), "Fault")
	t.Logf("Fault = %v", err)
	if err == nil {
		t.Error("there was no fault")
	}
	if err := sb.Restore(t.Context(), snap); err != nil {
		t.Fatal(err)
	}
}

// savedDir is a directory of snapshots that a test changes.
type savedDir struct {
	t   *testing.T
	dir string
}

func TestLoadRefusals(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	for _, row := range []struct {
		name  string
		spoil func(s savedDir)
		is    error
		want  string
	}{
		{"a processor with less", func(s savedDir) {
			rewrite(s.t, s.dir, func(c *snapfile.Config) { c.CPU.Features = append(c.CPU.Features, "zz_future", "zz_later") })
		}, airlock.ErrSnapshotIncompatible, "lacks zz_future, zz_later"},
		{"another tag", func(s savedDir) { replace(s.t, s.dir, "index.json", "latest", "newest") }, airlock.ErrSnapshotTag, `it has "newest"`},
		{"another layout", func(s savedDir) { replace(s.t, s.dir, "oci-layout", "1.0.0", "3.0.0") }, airlock.ErrSnapshotFormat, "only 1.0.0 is understood"},
		{"no layout", func(s savedDir) { remove(s.t, filepath.Join(s.dir, "oci-layout")) }, fs.ErrNotExist, "oci-layout"},
		{"memory truncated", func(s savedDir) { truncateMemory(s.t, s.dir) }, airlock.ErrSnapshotFormat, "damaged"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := saved(t, snap)
			row.spoil(savedDir{t, dir})
			_, err := airlock.LoadSnapshot(t.Context(), dir, "")
			if !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("LoadSnapshot() = %v, want one with %q", err, row.want)
			}
			var format *airlock.SnapshotFormatError
			if errors.Is(row.is, airlock.ErrSnapshotFormat) && (!errors.As(err, &format) || format.Path == "" || format.Reason == "") {
				t.Errorf("the error is %#v", err)
			}
		})
	}
	for _, tag := range []string{"a/b", "..", "a b", strings.Repeat("x", 129)} {
		if err := snap.Save(t.Context(), t.TempDir(), tag); !errors.Is(err, airlock.ErrOptions) {
			t.Errorf("Save with the tag %q = %v", tag, err)
		}
		if _, err := airlock.LoadSnapshot(t.Context(), t.TempDir(), tag); !errors.Is(err, airlock.ErrOptions) {
			t.Errorf("LoadSnapshot with the tag %q = %v", tag, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := saved(t, snap)
	if err := snap.Save(ctx, dir, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Save = %v", err)
	}
	if _, err := airlock.LoadSnapshot(ctx, dir, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("LoadSnapshot = %v", err)
	}
	closed := loaded(t, dir, "")
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := closed.Save(t.Context(), dir, ""); !errors.Is(err, airlock.ErrSnapshotClosed) {
		t.Errorf("Save of a closed snapshot = %v", err)
	}
}

func replace(t *testing.T, dir, file, from, to string) {
	t.Helper()
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.Replace(text, []byte(from), []byte(to), 1), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

func truncateMemory(t *testing.T, dir string) {
	t.Helper()
	for name := range strings.SplitSeq(files(t, dir), "\n") {
		if info, err := os.Stat(name); err == nil && info.Size() > 1<<20 {
			if err := os.Truncate(name, 1<<20); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatal("there is no memory")
}

// TestLoadOtherKernel takes a snapshot of a guest with another kernel: it works,
// though restoring it is slow.
func TestLoadOtherKernel(t *testing.T) {
	t.Parallel()
	dir := saved(t, newSnapshot(t, func(sb *airlock.Sandbox) { call[struct{}](t, sb, "Set", "saved") }))
	rewrite(t, dir, func(c *snapfile.Config) { c.Kernel.Stack -= 16 })
	snap := loaded(t, dir, "")
	if snap.Trusted() {
		t.Error("a kernel that nobody knows is trusted")
	}
	sb := clone(t, snap)
	for range 3 {
		if got := call[string](t, sb, "Get"); got != "saved" {
			t.Errorf("Get = %q", got)
		}
		call[struct{}](t, sb, "Set", "changed")
		if err := sb.Restore(t.Context(), snap); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLoadHostile runs what takes all the checks and is nonsense: registers and
// memory of an attacker's choice. The guest may do what it likes, the host
// returns.
func TestLoadHostile(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	for i, change := range []func(c *snapfile.Config){
		func(c *snapfile.Config) { c.Registers.General.RIP = 0x1000 },
		func(c *snapfile.Config) { c.Registers.General.RSP = 0x1000 },
		func(c *snapfile.Config) { c.Registers.General.RIP = 0xffff800000000000 },
		func(c *snapfile.Config) { c.Registers.General.RFLAGS |= 1 << 8 },
		func(c *snapfile.Config) { c.Registers.FS.Base = 0xffff800000000000 },
		func(c *snapfile.Config) { c.Clock.Monotonic, c.Clock.Generation = 1<<62, 1<<62 },
		func(c *snapfile.Config) { c.PageTable, c.Registers.CR3 = abi.ImageGPA, abi.ImageGPA },
		func(c *snapfile.Config) { c.Registers.XSave[24], c.Registers.XSave[25] = 0, 0 },
		func(c *snapfile.Config) {
			for i := range c.Memory.Runs { // all content elsewhere
				if end := c.Memory.Size / 4096; c.Memory.Runs[i].Page+c.Memory.Runs[i].Pages < end && (i+1 == len(c.Memory.Runs) || c.Memory.Runs[i].Page+c.Memory.Runs[i].Pages < c.Memory.Runs[i+1].Page) {
					c.Memory.Runs[i].Page++
				}
			}
		},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			dir := saved(t, snap)
			rewrite(t, dir, change)
			sb := clone(t, loaded(t, dir, ""))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := sb.Call(ctx, "Count")
			t.Logf("Count = %v", err)
		})
	}
}

// TestSaveConcurrent saves and loads one tag from many goroutines.
func TestSaveConcurrent(t *testing.T) {
	t.Parallel()
	snap := newSnapshot(t, nil)
	dir := saved(t, snap)
	var group sync.WaitGroup
	for i := range 4 {
		group.Go(func() {
			for range 3 {
				if err := errors.Join(snap.Save(t.Context(), dir, ""), snap.Save(t.Context(), dir, fmt.Sprint("own", i))); err != nil {
					t.Error(err)
				}
				again, err := airlock.LoadSnapshot(t.Context(), dir, "")
				if err != nil {
					t.Error(err)
					continue
				}
				if err := again.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	l, err := ocilayout.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	tags, err := l.Tags()
	if err != nil || len(tags) != 5 {
		t.Errorf("tags %v, %v", tags, err)
	}
	for _, tag := range tags {
		if tag.Descriptor.MediaType != v1.MediaTypeImageManifest {
			t.Errorf("%+v", tag)
		}
	}
}
