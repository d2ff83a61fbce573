// Command redact lets a guest written in C put stars in the place of a word, in
// the text that comes from stdin. The guest's log goes to stderr.
//
//	gcc -O2 -static -Isdk/c -o redact.guest examples/c/redact/guest/redact.c sdk/c/airlock_guest.c
//	echo 'the password is swordfish' | go run ./examples/c/redact redact.guest swordfish
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/airlockvm/airlock"
)

// maxText is how much text one call can pass.
const maxText = 1 << 20

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: redact GUEST WORD")
		os.Exit(2)
	}
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	if err := redact(os.Stdout, os.Stdin, logger, os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func redact(w io.Writer, r io.Reader, logger *slog.Logger, path, word string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()

	text, err := io.ReadAll(io.LimitReader(r, maxText))
	if err != nil {
		return err
	}
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		return err
	}
	sb, err := airlock.New(ctx, guest, airlock.Options{
		MessageSize: 2 * maxText, // the text, and what is around it
		Logger:      logger,
	})
	if err != nil {
		return err
	}
	defer sb.Close() //nolint:errcheck // the process ends

	redacted, err := airlock.Call[[]byte](ctx, sb, "Redact", text, word)
	if err != nil {
		return err
	}
	_, err = w.Write(redacted)
	return err
}
