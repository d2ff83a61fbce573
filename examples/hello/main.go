// Command hello calls a function of a guest, which calls one of this program.
//
//	CGO_ENABLED=0 go build -o hello.guest ./examples/hello/guest
//	go run ./examples/hello hello.guest
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/airlockvm/airlock"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: hello GUEST")
		os.Exit(2)
	}
	if err := hello(os.Stdout, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hello(w io.Writer, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	guest, err := airlock.LoadGuest(path)
	if err != nil {
		return err
	}
	sb, err := airlock.New(ctx, guest, airlock.Options{
		HostFuncs: airlock.HostFuncs{
			"GetWeekday": airlock.Func(func() (string, error) { return "Monday", nil }),
		},
	})
	if err != nil {
		return err
	}
	defer sb.Close() //nolint:errcheck // the process ends

	greeting, err := airlock.Call[string](ctx, sb, "SayHello", "World")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(w, greeting)
	return err
}
