package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/spf13/cobra"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Long:  "Print the version of airlock, of its contract with guests, and of the Go that built it.",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version())
			return err
		},
		DisableFlagsInUseLine: true,
	}
}

// version describes this program: its version if it was installed by one, or
// the commit that it was built from.
func version() string {
	self := "(devel)"
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		self = info.Main.Version
	}
	return fmt.Sprintf("airlock %s, guest ABI %d, %s %s/%s",
		self, abi.ABIVersion, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
