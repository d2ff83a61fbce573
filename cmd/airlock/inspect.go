package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
)

func newInspectCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "inspect [FLAG...] GUEST",
		Short: "Show what a program is and needs, without running it",
		Long: `Show what a guest is: its kind, its segments, the memory that it needs, and the
language that it was probably written in. Nothing of it is run.`,
		Example: `  airlock inspect ./hello
  airlock inspect ./cmd/mytool
  airlock inspect --json ./hello | jq .memory`,
		DisableFlagsInUseLine: true,
		Args:                  oneGuest,
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := findProgram(cmd.Context(), cmd.ErrOrStderr(), args[0])
			if err != nil {
				return err
			}
			defer p.remove()
			found, err := inspect(p)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), found)
			}
			return found.print(cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// inspection is what "airlock inspect" tells, and its form as JSON.
type inspection struct {
	Name       string    `json:"name"`
	FileSize   int       `json:"file_size"`
	Kind       string    `json:"kind"` // "exec" or "pie"
	Entry      address   `json:"entry"`
	Memory     uint64    `json:"memory"` // the least that holds it
	ABIVersion int       `json:"abi_version"`
	Language   string    `json:"language,omitempty"` // a guess
	Go         *goInfo   `json:"go,omitempty"`
	Segments   []segment `json:"segments"`
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

func inspect(p *program) (*inspection, error) {
	guest, content, err := p.load()
	if err != nil {
		return nil, err
	}
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
	return found, nil
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
	_, _ = fmt.Fprintf(t, "\nSEGMENT\tPERM\tSIZE\tIN FILE\n")
	for _, s := range i.Segments {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Addr, s.Perm, formatSize(s.Size), formatSize(s.FileSize))
	}
	_ = t.Flush() // a Buffer takes everything
	_, err := w.Write(b.Bytes())
	return err
}

// printJSON prints v, indented, on lines of its own.
func printJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
