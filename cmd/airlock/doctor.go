package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/spf13/cobra"
)

// trialPatience is how long the doctor's guest, which needs a millisecond, may
// take.
const trialPatience = 10 * time.Second

func newDoctorCommand() *cobra.Command {
	asJSON := false
	cmd := &cobra.Command{
		Use:   "doctor [FLAG...]",
		Short: "Check whether this machine can run sandboxes",
		Long: `Check whether this machine can run sandboxes, and say what to do where it can't.
The last check is to run a small guest. Nothing is changed.

The exit status is 0 if sandboxes can be run, else 3.`,
		Example: `  airlock doctor
  airlock doctor --json | jq '.checks[] | select(.status != "ok")'`,
		DisableFlagsInUseLine: true,
		Args:                  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := newDiagnosis(examine(cmd.Context()))
			write := d.print
			if asJSON {
				write = func(w io.Writer) error { return writeJSON(w, d, "  ") }
			}
			if err := write(cmd.OutOrStdout()); err != nil {
				return err
			}
			if cmd.Context().Err() != nil {
				return context.Cause(cmd.Context())
			}
			return d.err()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// status is how a check went.
type status string

// The ways that a check goes.
const (
	statusOK   status = "ok"
	statusWarn status = "warn" // sandboxes run, but something could be better
	statusFail status = "fail"
)

// check is one line of the doctor's.
type check struct {
	Name   string `json:"name"`
	Status status `json:"status"`
	Detail string `json:"detail"`
	Cure   string `json:"cure,omitempty"`
}

// diagnosis is what the doctor says, and its form as JSON.
type diagnosis struct {
	OK     bool    `json:"ok"`
	Checks []check `json:"checks"`
}

func newDiagnosis(checks []check) diagnosis {
	d := diagnosis{OK: true, Checks: checks}
	for _, c := range checks {
		d.OK = d.OK && c.Status != statusFail
	}
	return d
}

// err returns nil if sandboxes can be run.
func (d diagnosis) err() error {
	if d.OK {
		return nil
	}
	var failed []string
	for _, c := range d.Checks {
		if c.Status == statusFail {
			failed = append(failed, c.Name)
		}
	}
	return failf("this machine can't run sandboxes: see %s", strings.Join(failed, ", "))
}

// print prints the diagnosis for people.
func (d diagnosis) print(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, c := range d.Checks {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", strings.ToUpper(string(c.Status)), c.Name, oneLine(c.Detail))
		if c.Cure != "" {
			_, _ = fmt.Fprintf(t, "\t\tcure: %s\n", c.Cure)
		}
	}
	_ = t.Flush() // a Buffer takes everything
	if d.OK {
		b.WriteString("\nThis machine can run sandboxes.\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// examine does all checks, up to the first failure that makes the rest moot.
func examine(ctx context.Context) []check {
	f := gatherFacts()
	checks := f.check()
	if f.host.Err == nil {
		checks = append(checks, trial(ctx))
	}
	return checks
}

// trial runs a guest, for that proves more than any fact.
func trial(ctx context.Context) check {
	c := check{Name: "sandbox", Status: statusFail}
	ctx, cancel := context.WithTimeout(ctx, trialPatience)
	defer cancel()
	start := time.Now()
	if err := bootTiny(ctx); err != nil {
		c.Detail = "a small guest did not run: " + plain(err)
		c.Cure = "look for KVM's messages with 'dmesg', and report this line and the output of 'airlock version'"
		return c
	}
	c.Status = statusOK
	c.Detail = fmt.Sprintf("a small guest ran in %v", time.Since(start).Round(10*time.Microsecond))
	return c
}

// bootTiny makes a sandbox and runs the tiny guest in it.
func bootTiny(ctx context.Context) error {
	guest, err := airlock.NewGuest("tiny", tinyGuest())
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := bootToExit(ctx, guest, &out); err != nil {
		return err
	}
	if out.String() != tinyText {
		return fmt.Errorf("it wrote %q instead of %q", clip(out.String()), tinyText)
	}
	return nil
}

// bootToExit makes a sandbox, runs the guest in it to its end, which must be a
// good one, and closes the sandbox.
func bootToExit(ctx context.Context, guest *airlock.Guest, stdout io.Writer) (err error) {
	sb, err := airlock.New(ctx, guest, airlock.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	code, err := sb.Run(ctx, airlock.Process{Stdout: stdout})
	if err == nil && code != 0 {
		return fmt.Errorf("it ended with code %d", code)
	}
	return err
}
