package airlock

import (
	"context"
	"errors"
	"fmt"

	"github.com/airlockvm/airlock/internal/kernel"
	"github.com/airlockvm/airlock/internal/machine"
	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/airlockvm/airlock/internal/snapfile"
	"github.com/airlockvm/airlock/internal/wire"
)

// Errors of snapshots on disk, for [errors.Is].
var (
	// ErrSnapshotFormat means that what [LoadSnapshot] read is no snapshot, or one
	// that was damaged or forged. The error is a [*SnapshotFormatError].
	ErrSnapshotFormat = ocilayout.ErrFormat
	// ErrSnapshotIncompatible means that a snapshot is in order but not for this
	// machine, whose processor lacks what the guest may use, or not for this version
	// of the library. The error says what differs.
	ErrSnapshotIncompatible = snapfile.ErrIncompatible
	// ErrSnapshotTag means that there is no snapshot of that tag in the directory.
	// The error lists those that there are.
	ErrSnapshotTag = ocilayout.ErrNoTag
	// ErrSnapshotState means that a guest took over what only the processor's ring 0
	// may change, or stands where it can't be stopped: its snapshot can be used but
	// not saved.
	ErrSnapshotState = machine.ErrNotPortable
)

// SnapshotFormatError says what is wrong with a snapshot on disk: Path is the
// file, Field where in it, and Reason is in words. It is an [ErrSnapshotFormat].
type SnapshotFormatError = ocilayout.FormatError

// DefaultSnapshotTag is the tag of snapshots that are saved or loaded with none.
const DefaultSnapshotTag = snapfile.DefaultTag

// Save writes the snapshot to a directory, an OCI image layout, which is made if
// there is none, under a tag; empty means [DefaultSnapshotTag]. If there is a
// snapshot of this tag it takes its place, without disturbing who uses that.
// Several may save to one directory at once, from several processes, and load
// from it: each tag is there as a whole or not at all.
//
// What is written is not encrypted, and contains all that the guest knew. It is
// readable for the owner only. Content that is no longer part of any tag stays
// in the directory.
func (snap *Snapshot) Save(ctx context.Context, dir, tag string) error {
	tag, err := snapshotTag(tag)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("airlock: save a snapshot: %w", err)
	}
	declaration, err := wire.AppendDeclaration(nil, &snap.declaration)
	if err != nil {
		return fmt.Errorf("airlock: save a snapshot: %w", err)
	}
	sys, err := openSystem()
	if err != nil {
		return fmt.Errorf("airlock: save a snapshot: %w", err)
	}
	err = snap.state.Export(sys, func(c *snapfile.Config, memory []byte) error {
		c.Guest, c.Declaration = snapshotName(snap.guest.name), declaration
		text, err := c.Encode()
		if err != nil {
			// Only a guest that went around its kernel gets here.
			return fmt.Errorf("%w: %w", ErrSnapshotState, err)
		}
		return snapfile.Write(ctx, dir, tag, text, memory)
	})
	if errors.Is(err, machine.ErrSnapshotClosed) {
		return ErrSnapshotClosed
	}
	return err
}

// LoadSnapshot reads a snapshot that [Snapshot.Save] wrote to a directory under a
// tag; empty means [DefaultSnapshotTag]. Sandboxes are made from it as from any
// other. Its [Guest] has a name only, from which no sandbox can be made.
//
// All of it is verified: the directory may come from anywhere. A snapshot that
// is malformed is refused with a [*SnapshotFormatError], one that is for another
// processor or version with [ErrSnapshotIncompatible]. But what code runs in the
// sandboxes is for whoever wrote the snapshot to say.
//
// The file with the content of memory is not copied but mapped, by the snapshot
// and by all sandboxes made from it: so loading costs one reading of it, and
// however many processes load it, it is in memory once. Nobody may change that
// file as long as they live. Who writes to it changes what their guests see; who
// truncates it ends the process that uses it. To delete or to replace it does no
// harm, and Save never changes one.
//
// The guest's clock has gone on meanwhile with the host's wall clock, and never
// goes back.
func LoadSnapshot(ctx context.Context, dir, tag string) (*Snapshot, error) {
	tag, err := snapshotTag(tag)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("airlock: load a snapshot: %w", err)
	}
	layout, err := ocilayout.Open(dir)
	if err != nil {
		return nil, err
	}
	defer layout.Close() //nolint:errcheck // it was only read
	stored, err := snapfile.Find(layout, tag)
	if err != nil {
		return nil, err
	}
	declaration, err := stored.Content.Functions()
	if err != nil {
		return nil, err
	}
	sys, err := openSystem()
	if err != nil {
		return nil, fmt.Errorf("airlock: load a snapshot: %w", err)
	}
	memory, err := stored.Open(ctx, layout)
	if err != nil {
		return nil, err
	}
	defer memory.Close() //nolint:errcheck // it was only read
	state, err := machine.Import(sys, stored.Content, memory, kernel.Image)
	if err != nil {
		return nil, err
	}
	return newSnapshot(state, snapshotGuest(stored.Content.Guest), declaration), nil
}

// MessageSize returns the size in bytes of each of the two buffers for messages
// that sandboxes of the snapshot have.
func (snap *Snapshot) MessageSize() int64 { return int64(snap.state.Config().InputSize) } //nolint:gosec // G115: at most MaxMemory

func snapshotTag(tag string) (string, error) {
	if tag == "" {
		return DefaultSnapshotTag, nil
	}
	if !ocilayout.ValidTag(tag) {
		return "", fmt.Errorf("%w: %.130q is not a tag: up to 128 letters, digits, dots, hyphens and underscores, beginning with none of the first two signs", ErrOptions, tag)
	}
	return tag, nil
}

// snapshotName makes a name of any length and content fit into a snapshot.
func snapshotName(name string) string {
	if snapfile.ValidName(name) {
		return name
	}
	return fmt.Sprintf("%.200q", name)
}
