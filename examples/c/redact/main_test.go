package main

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// build builds the guest with the command that its comment shows.
func build(t *testing.T) string {
	t.Helper()
	kvmtest.Require(t)
	if _, err := exec.LookPath("gcc"); err != nil {
		kvmtest.Skip(t, "needs a C compiler: "+err.Error())
	}
	// All that the compiler reads, so that the go command knows of it too.
	var text []byte
	for _, file := range []string{"../../../sdk/c/airlock_guest.h", "../../../sdk/c/airlock_guest.c", "guest/redact.c"} {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
	_, command, _ := strings.Cut(string(text), " *\tgcc ")
	command, _, _ = strings.Cut(command, "\n")
	guest := filepath.Join(t.TempDir(), "redact.guest")
	cmd := exec.Command("gcc", strings.Fields(strings.Replace(command, "redact.guest", guest, 1))...)
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return guest
}

func TestRedact(t *testing.T) {
	t.Parallel()
	guest := build(t)
	tests := map[string]struct{ text, word, want, log string }{
		"once":      {"the password is swordfish\n", "swordfish", "the password is *********\n", "9 of 26 bytes redacted"},
		"often":     {"aaaaa\xff", "aa", "****a\xff", "4 of 6 bytes redacted"},
		"never":     {"text", "word", "text", "0 of 4 bytes redacted"},
		"no text":   {"", "word", "", "0 of 0 bytes redacted"},
		"too short": {"wor", "word", "wor", "0 of 3 bytes redacted"},
		"a lot":     {strings.Repeat("x", maxText), "x", strings.Repeat("*", maxText), "1048576 of 1048576 bytes redacted"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out, log bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&log, nil))
			if err := redact(&out, strings.NewReader(test.text), logger, guest, test.word); err != nil {
				t.Fatal(err)
			}
			if out.String() != test.want {
				t.Errorf("redacted %.100q; want %.100q", &out, test.want)
			}
			if want := `level=INFO msg="` + test.log + `" guest=redact.guest source=redact`; !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, &log)
			}
		})
	}
}

func TestRedactNothing(t *testing.T) {
	t.Parallel()
	err := redact(&bytes.Buffer{}, strings.NewReader("text"), slog.New(slog.DiscardHandler), build(t), "")
	if guestError, ok := errors.AsType[*airlock.GuestError](err); !ok || guestError.Message != "the word is empty" {
		t.Errorf("an empty word: %v", err)
	}
}
