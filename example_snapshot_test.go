package airlock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/airlockvm/airlock"
)

// The guest is started once, and stands there with what it was told.
func ExampleSandbox_Snapshot() {
	ctx := context.Background()
	sb := newCounting(ctx)
	defer sb.Close()
	if _, err := sb.Call(ctx, "Set", "configured"); err != nil {
		log.Fatal(err)
	}
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snap.Close()
	clone, err := snap.New(ctx, countingOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer clone.Close()
	fmt.Println(airlock.Call[string](ctx, clone, "Get"))
	// Output: configured <nil>
}

// Whatever a call has done is undone.
func ExampleSandbox_Restore() {
	ctx := context.Background()
	sb := newCounting(ctx)
	defer sb.Close()
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer snap.Close()
	for range 3 {
		n, err := airlock.Call[int64](ctx, sb, "Count")
		fmt.Println(n, err, sb.Restore(ctx, snap))
	}
	// Output:
	// 1 <nil> <nil>
	// 1 <nil> <nil>
	// 1 <nil> <nil>
}

// Sandboxes of one snapshot share its memory until they write to it, and know
// nothing of each other.
func ExampleSnapshot_New() {
	ctx := context.Background()
	snap := newSnap(ctx)
	defer snap.Close()
	for _, name := range []string{"Ann", "Bob"} {
		sb, err := snap.New(ctx, countingOptions())
		if err != nil {
			log.Fatal(err)
		}
		defer sb.Close()
		before, err := airlock.Call[string](ctx, sb, "Get")
		if err != nil {
			log.Fatal(err)
		}
		_, err = sb.Call(ctx, "Set", name)
		fmt.Printf("%q %v\n", before, err)
	}
	// Output:
	// "" <nil>
	// "" <nil>
}

// Kept on disk, for other processes and for later.
func ExampleSnapshot_Save() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	snap := newSnap(ctx)
	defer snap.Close()
	fmt.Println(snap.Save(ctx, dir, "v1"))
	// Output: <nil>
}

func ExampleLoadSnapshot() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	save(ctx, dir, "v1") // by another program, as a rule

	snap, err := airlock.LoadSnapshot(ctx, dir, "v1")
	if err != nil {
		log.Fatal(err)
	}
	defer snap.Close()
	sb, err := snap.New(ctx, countingOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	fmt.Println(airlock.Call[int64](ctx, sb, "Count"))
	// Output: 1 <nil>
}

func ExampleDefaultSnapshotTag() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	save(ctx, dir, "")
	snap, err := airlock.LoadSnapshot(ctx, dir, airlock.DefaultSnapshotTag)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(snap.Close())
	// Output: <nil>
}

func ExampleSnapshot_Functions() {
	snap := newSnap(context.Background())
	defer snap.Close()
	fmt.Println(snap.Functions().Imports)
	// Output: [Weekday() string]
}

func ExampleSnapshot_Guest() {
	snap := newSnap(context.Background())
	defer snap.Close()
	fmt.Println(snap.Guest().Name())
	// Output: snapguest
}

// What all sandboxes of the snapshot have.
func ExampleSnapshot_Memory() {
	snap := newSnap(context.Background())
	defer snap.Close()
	fmt.Println(snap.Memory() == airlock.DefaultMemory)
	// Output: true
}

func ExampleSnapshot_MessageSize() {
	snap := newSnap(context.Background())
	defer snap.Close()
	fmt.Println(snap.MessageSize() == airlock.DefaultMessageSize)
	// Output: true
}

// A snapshot holds what the guest has used, not all that it may use.
func ExampleSnapshot_Size() {
	snap := newSnap(context.Background())
	defer snap.Close()
	fmt.Println(snap.Size() > 0, snap.Size() < snap.Memory())
	// Output: true true
}

// Sandboxes that exist live on.
func ExampleSnapshot_Close() {
	ctx := context.Background()
	snap := newSnap(ctx)
	sb, err := snap.New(ctx, countingOptions())
	if err != nil {
		log.Fatal(err)
	}
	defer sb.Close()
	fmt.Println(snap.Close())
	fmt.Println(airlock.Call[int64](ctx, sb, "Count"))
	// Output:
	// <nil>
	// 1 <nil>
}

func ExampleErrSnapshotClosed() {
	ctx := context.Background()
	snap := newSnap(ctx)
	if err := snap.Close(); err != nil {
		log.Fatal(err)
	}
	_, err := snap.New(ctx, countingOptions())
	fmt.Println(errors.Is(err, airlock.ErrSnapshotClosed))
	// Output: true
}

func ExampleErrSnapshotTag() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	save(ctx, dir, "v1")
	_, err := airlock.LoadSnapshot(ctx, dir, "v2")
	fmt.Println(errors.Is(err, airlock.ErrSnapshotTag))
	// Output: true
}

// Snapshots are verified, wherever they come from.
func ExampleErrSnapshotFormat() {
	dir := newDir()
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "oci-layout"), []byte("not a layout"), 0o600); err != nil {
		log.Fatal(err)
	}
	_, err := airlock.LoadSnapshot(context.Background(), dir, "v1")
	fmt.Println(errors.Is(err, airlock.ErrSnapshotFormat))
	// Output: true
}

func ExampleSnapshotFormatError() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	save(ctx, dir, "v1")
	if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte("{"), 0o600); err != nil {
		log.Fatal(err)
	}
	_, err := airlock.LoadSnapshot(ctx, dir, "v1")
	if refused, ok := errors.AsType[*airlock.SnapshotFormatError](err); ok {
		fmt.Println("broken:", filepath.Base(refused.Path))
	}
	// Output: broken: index.json
}

// Snapshots of another machine or version are a shortcut that may be missing.
func ExampleErrSnapshotIncompatible() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	save(ctx, dir, "v1")
	snap, err := airlock.LoadSnapshot(ctx, dir, "v1")
	if errors.Is(err, airlock.ErrSnapshotIncompatible) {
		snap, err = newSnap(ctx), nil // start the guest here
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(snap.Close())
	// Output: <nil>
}

// A guest that has changed what only its kernel may change can't be saved. Its
// snapshot is good for this process.
func ExampleErrSnapshotState() {
	ctx := context.Background()
	dir := newDir()
	defer os.RemoveAll(dir)
	snap := newSnap(ctx)
	defer snap.Close()
	err := snap.Save(ctx, dir, "v1")
	switch {
	case errors.Is(err, airlock.ErrSnapshotState):
		fmt.Println("kept in memory")
	case err != nil:
		log.Fatal(err)
	default:
		fmt.Println("saved")
	}
	// Output: saved
}

// countingOptions are for a guest that counts, and needs one host function.
func countingOptions() airlock.Options {
	return airlock.Options{HostFuncs: airlock.HostFuncs{"Weekday": airlock.Func(func() string { return "Monday" })}}
}

func newCounting(ctx context.Context) *airlock.Sandbox {
	sb, err := airlock.New(ctx, counting(), countingOptions())
	if err != nil {
		log.Fatal(err)
	}
	return sb
}

// newSnap takes a snapshot of the guest that counts, before it has begun to.
func newSnap(ctx context.Context) *airlock.Snapshot {
	sb := newCounting(ctx)
	defer sb.Close()
	snap, err := sb.Snapshot(ctx)
	if err != nil {
		log.Fatal(err)
	}
	return snap
}

// save puts such a snapshot into a directory.
func save(ctx context.Context, dir, tag string) {
	snap := newSnap(ctx)
	defer snap.Close()
	if err := snap.Save(ctx, dir, tag); err != nil {
		log.Fatal(err)
	}
}

func newDir() string {
	dir, err := os.MkdirTemp("", "airlock-example-")
	if err != nil {
		log.Fatal(err)
	}
	return dir
}
