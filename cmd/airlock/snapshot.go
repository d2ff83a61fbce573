package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/airlockvm/airlock/internal/snapfile"
	"github.com/airlockvm/airlock/internal/wire"
	"github.com/spf13/cobra"
)

func newSnapshotCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "snapshot COMMAND",
		Short: "Keep guests that have started on disk, and in registries",
		Long: `Keep guests that have started, for 'airlock call --snapshot' and for programs:
what a guest does before its first call is then done only once.

DIR is a directory, an OCI image layout, which holds any number of snapshots,
each with a TAG, which is "latest" if it is not given. A snapshot contains all
that the guest knew when it was taken, and is not encrypted.`,
		DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Sprintf("unknown command %q of %q", args[0], cmd.Name())}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSnapshotCreateCommand(), newSnapshotInspectCommand(), newSnapshotPushCommand(), newSnapshotPullCommand())
	return cmd
}

// place is where a snapshot is: DIR[:TAG].
type place struct {
	dir, tag string // the tag may be empty
}

// parsePlace reads a place. What is behind the last colon is the tag if it looks
// like one: a directory whose name ends so is written with a slash behind it.
func parsePlace(text string) (place, error) {
	p := place{dir: text}
	if i := strings.LastIndexByte(text, ':'); i >= 0 && ocilayout.ValidTag(text[i+1:]) {
		p = place{text[:i], text[i+1:]}
	}
	if p.dir == "" {
		return p, usageError{fmt.Sprintf("%q names no directory: a snapshot is DIR or DIR:TAG", text)}
	}
	return p, nil
}

// tagged is the place with the tag that it has.
func (p place) tagged() place {
	if p.tag == "" {
		p.tag = airlock.DefaultSnapshotTag
	}
	return p
}

// createOptions are the flags of "airlock snapshot create".
type createOptions struct {
	sandboxFlags
	messageSize memorySize
	output      string
}

func newSnapshotCreateCommand() *cobra.Command {
	o := &createOptions{sandboxFlags: newSandboxFlags(), messageSize: callMessageSize}
	cmd := &cobra.Command{
		Use:   "create [FLAG...] GUEST -o DIR[:TAG]",
		Short: "Start a guest and save it when it waits for its first call",
		Long: `Start a guest, in a micro-VM of its own, and save it when it waits for its first
call. GUEST is a program that was written with a guest SDK, or the directory of
such a Go main package. Host functions that it needs are not needed yet.

The snapshot may be used on processors that have what this one offers to guests.
If DIR has a snapshot of that tag, the new one takes its place.`,
		Example: `  airlock snapshot create ./greeter -o snapshots:greeter
  airlock call --snapshot snapshots:greeter --host GetWeekday=Monday SayHello World`,
		DisableFlagsInUseLine: true,
		Args:                  oneGuest,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&o.output, "output", "o", "", "where to save it: `DIR[:TAG]`")
	flags.Var(&o.memory, "memory", "memory of the sandbox, all that the guest will ever have")
	flags.Var(&o.messageSize, "message-size", "how large a call and its result may be")
	flags.DurationVar(&o.timeout, "timeout", 0, "stop the guest after `TIME`, such as 5s (default never)")
	flags.BoolVar(&o.jit, "jit", false, "let the guest generate code")
	flags.BoolVarP(&o.verbose, "verbose", "v", false, "log what happens to the sandbox to stderr")
	return cmd
}

func (o *createOptions) run(cmd *cobra.Command, guestArg string) error {
	if o.output == "" {
		return usageError{"-o is missing: where to save the snapshot, DIR or DIR:TAG"}
	}
	to, err := parsePlace(o.output)
	if err != nil {
		return err
	}
	if err := checkMessageSize(o.memory, o.messageSize); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	guest, err := loadGuest(cmd.Context(), cmd.ErrOrStderr(), guestArg)
	if err != nil {
		return err
	}
	snap, err := o.start(cmd, guest)
	if err != nil {
		return explainNotServing(guest.Name(), o.explain(guest.Name(), err))
	}
	defer snap.Close() //nolint:errcheck // it is in memory only
	watch := newProgress(cmd.ErrOrStderr())
	defer watch.close()
	return snap.Save(watch.context(cmd.Context()), to.dir, to.tag)
}

// start starts the guest and returns it as it waits for calls.
func (o *createOptions) start(cmd *cobra.Command, guest *airlock.Guest) (snap *airlock.Snapshot, err error) {
	ctx, cancel := o.limit(cmd.Context())
	defer cancel()
	options := o.options(nil)
	options.MessageSize = int64(o.messageSize)
	options.Stdout = &stoppableWriter{ctx, cmd.ErrOrStderr()}
	options.Stderr = options.Stdout
	if o.verbose {
		options.Logger = newLogger(options.Stderr, slog.LevelDebug)
	}
	sb, err := airlock.New(ctx, guest, options)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return sb.Snapshot(ctx)
}

func newSnapshotInspectCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "inspect [FLAG...] DIR[:TAG]",
		Short: "Show what is in a directory of snapshots",
		Long: `Show which snapshots a directory has, or, with a TAG, what one of them is: its
guest, what that exports and needs, its sizes, and what it demands of the
processor. Nothing is run, and the content of memory is not read.`,
		Example: `  airlock snapshot inspect snapshots
  airlock snapshot inspect --json snapshots:greeter | jq .functions`,
		DisableFlagsInUseLine: true,
		Args:                  wantPlace(1, ""),
		RunE: func(cmd *cobra.Command, args []string) error {
			return inspectSnapshots(cmd.OutOrStdout(), args[0], asJSON)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// wantPlace requires DIR[:TAG] and what else there is to be.
func wantPlace(count int, rest string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return usageError{"DIR is missing: a directory of snapshots, or DIR:TAG"}
		case len(args) < count:
			return usageError{rest + " is missing"}
		case len(args) > count:
			return usageError{fmt.Sprintf("the argument %q is too much", args[count])}
		}
		return nil
	}
}

// storedSnapshot is what is known of a snapshot on disk, and its form as JSON.
type storedSnapshot struct {
	Tag    string `json:"tag"`
	Digest string `json:"digest"`
	// Error says why there is nothing more.
	Error       string       `json:"error,omitempty"`
	Guest       string       `json:"guest,omitempty"`
	Created     *time.Time   `json:"created,omitempty"`
	Memory      uint64       `json:"memory,omitempty"`
	Content     int64        `json:"content,omitempty"` // bytes of memory that aren't zero
	MessageSize uint64       `json:"message_size,omitempty"`
	JIT         bool         `json:"jit,omitempty"`
	Trace       bool         `json:"trace,omitempty"`
	ABIVersion  uint32       `json:"abi_version,omitempty"`
	CPU         []string     `json:"cpu_features,omitempty"`
	Functions   *declaration `json:"functions,omitempty"`
}

func inspectSnapshots(w io.Writer, arg string, asJSON bool) error {
	where, err := parsePlace(arg)
	if err != nil {
		return err
	}
	layout, err := ocilayout.Open(where.dir)
	if err != nil {
		return err
	}
	defer layout.Close() //nolint:errcheck // it was only read
	if where.tag != "" {
		found, err := readSnapshot(layout, where.tag)
		switch {
		case err != nil:
			return err
		case asJSON:
			return writeJSON(w, found, "  ")
		}
		return found.print(w)
	}
	tags, err := layout.Tags()
	if err != nil {
		return err
	}
	list := []*storedSnapshot{}
	for _, t := range tags {
		found, err := readSnapshot(layout, t.Tag)
		if err != nil {
			found = &storedSnapshot{Tag: t.Tag, Error: oneLine(plain(err))}
		}
		found.Digest = string(t.Descriptor.Digest)
		list = append(list, found)
	}
	if asJSON {
		return writeJSON(w, list, "  ")
	}
	return printSnapshots(w, list)
}

// readSnapshot reads what is known of a snapshot.
//
// Guest-controlled: all of it.
func readSnapshot(layout *ocilayout.Layout, tag string) (*storedSnapshot, error) {
	stored, err := snapfile.Find(layout, tag)
	if err != nil {
		return nil, err
	}
	c := stored.Content
	d, err := c.Functions()
	if err != nil {
		return nil, err
	}
	created := c.Created()
	return &storedSnapshot{
		Tag: tag, Digest: string(stored.Manifest.Digest), Guest: c.Guest, Created: &created,
		Memory: c.Memory.Size, Content: stored.Memory.Size, MessageSize: c.Memory.InputSize,
		JIT: c.JIT, Trace: c.Trace, ABIVersion: c.ABI, CPU: c.CPU.Features,
		Functions: &declaration{Status: servesCalls, SDK: d.SDKName + " " + d.SDKVersion, Exports: wireFunctions(d.Exports), Imports: wireFunctions(d.Imports)},
	}, nil
}

func wireFunctions(list []wire.Function) []function {
	functions := make([]function, 0, len(list))
	for _, f := range list {
		if strings.HasPrefix(f.Name, wire.ReservedNames) {
			continue // of the SDK
		}
		params := []string{}
		for _, p := range f.Params {
			params = append(params, p.String())
		}
		functions = append(functions, function{Name: f.Name, Params: params, Return: f.Return.String()})
	}
	return functions
}

func (s *storedSnapshot) print(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "tag\t%s\n", s.Tag)
	_, _ = fmt.Fprintf(t, "digest\t%s\n", s.Digest)
	_, _ = fmt.Fprintf(t, "guest\t%s\n", name(s.Guest))
	_, _ = fmt.Fprintf(t, "created\t%s\n", s.Created.Format(time.RFC3339))
	_, _ = fmt.Fprintf(t, "memory\t%s, of which %s have content\n", formatSize(s.Memory), formatSize(s.Content))
	_, _ = fmt.Fprintf(t, "messages\tup to %s\n", formatSize(s.MessageSize))
	if s.JIT {
		_, _ = fmt.Fprintf(t, "code\tmay be generated\n")
	}
	if s.Trace {
		_, _ = fmt.Fprintf(t, "trace\tis wanted\n")
	}
	_, _ = fmt.Fprintf(t, "guest ABI\t%d\n", s.ABIVersion)
	_, _ = fmt.Fprintf(t, "processor\tmust have %d features that the guest may use\n", len(s.CPU))
	s.Functions.print(t)
	_ = t.Flush() // a Buffer takes everything
	_, err := w.Write(b.Bytes())
	return err
}

func printSnapshots(w io.Writer, list []*storedSnapshot) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "TAG\tGUEST\tMEMORY\tCONTENT\tCREATED\n")
	for _, s := range list {
		if s.Error != "" {
			_, _ = fmt.Fprintf(t, "%s\t%s\n", name(s.Tag), s.Error)
			continue
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n",
			name(s.Tag), name(s.Guest), formatSize(s.Memory), formatSize(s.Content), s.Created.Format(time.RFC3339))
	}
	_ = t.Flush() // a Buffer takes everything
	_, err := w.Write(b.Bytes())
	return err
}

// loadSnapshot loads a snapshot, and shows how that gets on.
func loadSnapshot(ctx context.Context, stderr io.Writer, arg string) (*airlock.Snapshot, error) {
	where, err := parsePlace(arg)
	if err != nil {
		return nil, err
	}
	watch := newProgress(stderr)
	defer watch.close()
	return airlock.LoadSnapshot(watch.context(ctx), where.dir, where.tag)
}
