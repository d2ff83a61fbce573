package main

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// inspectOptions are the flags of "airlock inspect".
type inspectOptions struct {
	timeout time.Duration
	static  bool
	asJSON  bool
}

func newInspectCommand() *cobra.Command {
	o := &inspectOptions{timeout: 2 * time.Second}
	cmd := &cobra.Command{
		Use:   "inspect [FLAG...] GUEST",
		Short: "Show what a program is, needs and exports",
		Long: `Show what a guest is: its kind, its segments, the memory that it needs, and the
language that it was probably written in.

Which functions a guest exports and needs it says itself. So it is run in a
micro-VM of its own until it waits for calls, without arguments and input, and
its output is dropped. It is stopped then, and after --timeout in any case.`,
		Example: `  airlock inspect ./hello
  airlock inspect --static ./cmd/mytool
  airlock inspect --json ./hello | jq .functions.exports`,
		DisableFlagsInUseLine: true,
		Args:                  oneGuest,
		RunE:                  func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	cmd.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&o.static, "static", false, "don't run the guest: its functions stay unknown")
	cmd.Flags().DurationVar(&o.timeout, "timeout", o.timeout, "stop the guest after `TIME`")
	return cmd
}

func (o *inspectOptions) run(cmd *cobra.Command, guestArg string) error {
	if o.timeout <= 0 {
		return usageError{fmt.Sprintf("--timeout is not positive: %v", o.timeout)}
	}
	p, err := findProgram(cmd.Context(), cmd.ErrOrStderr(), guestArg)
	if err != nil {
		return err
	}
	guest, content, err := p.load()
	p.remove() // it is in memory now
	if err != nil {
		return err
	}
	found := inspect(guest, content)
	found.Functions = &declaration{Status: servesUnknown, Reason: "the guest was not run"}
	if !o.static {
		if found.Functions, err = declared(cmd.Context(), guest, o.timeout); err != nil {
			return err
		}
	}
	if o.asJSON {
		return writeJSON(cmd.OutOrStdout(), found, "  ")
	}
	return found.print(cmd.OutOrStdout())
}

// inspection is what "airlock inspect" tells, and its form as JSON.
type inspection struct {
	Name       string       `json:"name"`
	FileSize   int          `json:"file_size"`
	Kind       string       `json:"kind"` // "exec" or "pie"
	Entry      address      `json:"entry"`
	Memory     uint64       `json:"memory"` // the least that holds it
	ABIVersion int          `json:"abi_version"`
	Language   string       `json:"language,omitempty"` // a guess
	Go         *goInfo      `json:"go,omitempty"`
	Functions  *declaration `json:"functions"`
	Segments   []segment    `json:"segments"`
}

type segment struct {
	Addr     address `json:"addr"`
	Size     uint64  `json:"size"`
	FileSize uint64  `json:"file_size"`
	Perm     string  `json:"perm"`
}

// address is a number that people read in hexadecimal, in JSON too.
type address uint64

// String returns the address as in 0x401000.
func (a address) String() string { return fmt.Sprintf("%#x", uint64(a)) }

// MarshalText makes a JSON string of it.
func (a address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// inspect tells what the file of a guest tells.
func inspect(guest *airlock.Guest, content []byte) *inspection {
	info := guest.Info()
	found := &inspection{
		Name:       info.Name,
		FileSize:   len(content),
		Kind:       info.Kind,
		Entry:      address(info.Entry),
		Memory:     info.Memory,
		ABIVersion: info.ABIVersion,
		Go:         readGoInfo(content),
	}
	found.Language = guessLanguage(content, found.Go)
	for _, s := range info.Segments {
		found.Segments = append(found.Segments, segment{address(s.Addr), s.Size, s.FileSize, s.Perm})
	}
	return found
}

// print prints the inspection for people.
func (i *inspection) print(w io.Writer) error {
	kind := "static executable with fixed addresses"
	if i.Kind == "pie" {
		kind = "static position-independent executable"
	}
	language := i.Language
	switch {
	case i.Go != nil && i.Go.Package != "":
		language = fmt.Sprintf("Go (%s, package %s)", i.Go.Version, i.Go.Package)
	case i.Go != nil:
		language = fmt.Sprintf("Go (%s)", i.Go.Version)
	case language == "":
		language = "unknown"
	default:
		language += ", probably"
	}
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintf(t, "name\t%s\n", name(i.Name))
	_, _ = fmt.Fprintf(t, "kind\t%s\n", kind)
	_, _ = fmt.Fprintf(t, "size\t%s\n", formatSize(i.FileSize))
	_, _ = fmt.Fprintf(t, "language\t%s\n", language)
	_, _ = fmt.Fprintf(t, "entry\t%s\n", i.Entry)
	_, _ = fmt.Fprintf(t, "memory\t%s at least\n", formatSize(i.Memory))
	_, _ = fmt.Fprintf(t, "guest ABI\t%d\n", i.ABIVersion)
	i.Functions.print(t)
	_, _ = fmt.Fprintf(t, "\nSEGMENT\tPERM\tSIZE\tIN FILE\n")
	for _, s := range i.Segments {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Addr, s.Perm, formatSize(s.Size), formatSize(s.FileSize))
	}
	_ = t.Flush() // a Buffer takes everything
	_, err := w.Write(b.Bytes())
	return err
}

// print prints what is known of the functions for people.
//
// Guest-controlled: all of d but what serves.
func (d *declaration) print(w io.Writer) {
	switch {
	case d.Status == servesUnknown:
		_, _ = fmt.Fprintf(w, "functions\tunknown: %s\n", d.Reason)
		return
	case d.Status == servesNone && d.Reason != "":
		_, _ = fmt.Fprintf(w, "functions\tserves no calls, %s\n", d.Reason)
		return
	case d.Status == servesNone:
		_, _ = fmt.Fprintf(w, "functions\tserves no calls\n")
		return
	}
	_, _ = fmt.Fprintf(w, "guest SDK\t%s\n", clip(d.SDK))
	_, _ = fmt.Fprintf(w, "functions\texports %d, needs %d of the host\n", len(d.Exports), len(d.Imports))
	for _, list := range []struct {
		title     string
		functions []function
	}{{"EXPORTS", d.Exports}, {"NEEDS", d.Imports}} {
		if len(list.functions) > 0 {
			_, _ = fmt.Fprintf(w, "\n%s\n", list.title)
		}
		for _, f := range list.functions {
			_, _ = fmt.Fprintf(w, "%s\n", oneLine(f.String()))
		}
	}
}
