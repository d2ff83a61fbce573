// Command airlock runs untrusted static Linux programs, each in a micro-VM of
// its own, and tells what it knows about such programs and about this machine.
//
// There is one file for each command. What they share: main.go has the root of
// the command line, fail.go how errors become a line of text and an exit code,
// guest.go what the argument GUEST may be, sandbox.go the flags of sandboxes,
// functions.go what guests say of themselves, size.go how sizes are written,
// tiny.go a guest that needs no compiler, progress.go how long work is shown,
// registry.go the way of snapshots to other machines. Of "airlock call", arguments.go has the
// way of values to the guest, hosts.go that to the functions of the host, and
// result.go the way back; callsnapshot.go is it for a guest from a snapshot.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is main with everything from outside as an argument. It returns the exit
// code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := withInterrupts(context.Background())
	defer stop()

	root := newRootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(ctx)
	return report(stderr, cmd.CommandPath(), err)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "airlock COMMAND",
		Short: "Run untrusted static Linux programs in micro-VMs",
		Long: `Airlock runs untrusted static Linux programs, each in a micro-VM of its own
that sees nothing but its memory: no files, no network, no devices.

GUEST is a static x86-64 Linux program, or a directory with a Go main package,
which is built first.

Exit status: that of the guest for "run"; 1 when a function that "call" called
returned an error; 2 for a wrong command line; 3 when a guest was refused, was
stopped or timed out, or when this machine can't run it; 130 or 143 when airlock
was interrupted.`,
		Example: `  airlock run ./hello                     run a program
  airlock run --timeout 5s ./mytool -v    the guest gets -v
  airlock call ./greeter SayHello World   call a function of a guest
  airlock inspect ./hello                 what would be run
  airlock doctor                          can this machine do it?`,
		Version:               version(),
		DisableFlagsInUseLine: true,
		SilenceErrors:         true,
		SilenceUsage:          true,
		Args:                  knownCommand,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err.Error()} })
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetUsageTemplate(usageTemplate)
	root.SetHelpCommand(newHelpCommand())
	root.AddCommand(newRunCommand(), newCallCommand(), newInspectCommand(), newSnapshotCommand(), newDoctorCommand(), newBenchCommand(), newVersionCommand())
	root.Flags().Bool("version", false, "print the version") // cobra's own has the letter of --verbose
	root.InitDefaultCompletionCmd()                          // now, so that adjust finds it
	adjust(root)
	return root
}

// adjust makes cobra's own parts of a command and those below it like ours.
func adjust(cmd *cobra.Command) {
	cmd.Flags().BoolP("help", "h", false, "show this help")
	if cmd.HasParent() && cmd.Parent().Name() == "completion" {
		cmd.Args = noArguments // its error is one of usage
	}
	for _, sub := range cmd.Commands() {
		adjust(sub)
	}
}

// usageTemplate is cobra's without what airlock's commands don't have.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

'{{.CommandPath}} COMMAND --help' says more about a command.{{end}}
`

// knownCommand refuses the arguments of the root command, which takes none: the
// first of them is the name of a command that doesn't exist.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("unknown command %q", args[0])
	root.SuggestionsMinimumDistance = 2
	if similar := root.SuggestionsFor(args[0]); len(similar) > 0 {
		message += ", did you mean " + strings.Join(similar, " or ") + "?"
	}
	return usageError{message}
}

// newHelpCommand is cobra's, but for an unknown command it fails.
func newHelpCommand() *cobra.Command {
	return &cobra.Command{
		Use:                   "help [COMMAND]",
		Short:                 "Show what a command does",
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil {
				return err
			}
			if about == cmd.Root() {
				if err := knownCommand(about, rest); err != nil {
					return err
				}
			}
			return about.Help()
		},
	}
}

// oneGuest requires the argument GUEST and no other.
func oneGuest(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return errNoGuest
	case len(args) > 1:
		return usageError{fmt.Sprintf("only one GUEST is wanted, not %q too", args[1])}
	}
	return nil
}

// someGuest requires the argument GUEST; those that follow are the guest's.
func someGuest(_ *cobra.Command, args []string) error {
	if len(args) == 0 {
		return errNoGuest
	}
	return nil
}

// someFunction requires the arguments GUEST and FUNCTION; those that follow are
// the function's.
func someFunction(_ *cobra.Command, args []string) error {
	switch len(args) {
	case 0:
		return errNoGuest
	case 1:
		return errNoFunction
	}
	return nil
}

// noArguments is for commands that take none.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Sprintf("no argument is wanted, not %q", args[0])}
	}
	return nil
}

var errNoFunction = usageError{"FUNCTION is missing: 'airlock inspect GUEST' lists those that the guest exports"}

var errNoGuest = usageError{"GUEST is missing: a static Linux program, or the directory of a Go main package"}
