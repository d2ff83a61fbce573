package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// build builds the plugins into a new directory.
func build(t *testing.T, names ...string) string {
	t.Helper()
	kvmtest.Require(t)
	dir := t.TempDir()
	for _, name := range names {
		command := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(dir, name+".plugin"), "./guests/"+name)
		command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		if text, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go build: %v\n%s", err, text)
		}
	}
	return dir
}

func TestPlugin(t *testing.T) {
	t.Parallel()
	dir := build(t, "words", "numbers", "faulty")
	const lines = `words.Upper hello
numbers.Add 40
faulty.Crashes
faulty.Works
faulty.Fails
words.Count the others work on
numbers.Add 2
numbers.Half x
words.Nothing
`
	const want = `faulty.Crashes()
faulty.Fails()
faulty.Hangs()
faulty.Hoards()
faulty.Works() string
numbers.Add(int64) int64
numbers.Half(float64) float64
words.Count(string) int64
words.Upper(string) string
> words.Upper hello
HELLO
> numbers.Add 40
40
> faulty.Crashes
faulty.Crashes: plugin was replaced: airlock: guest aborted: panicked: "Crashes panicked: a bug"
> faulty.Works
works
> faulty.Fails
faulty.Fails: airlock: guest error: failed: "this time it didn't work"
> words.Count the others work on
4
> numbers.Add 2
42
> numbers.Half x
numbers.Half: airlock: arguments do not fit the function: Half(float64) float64: argument 1 has the type string and not float64
> words.Nothing
"words.Nothing": no plugin has it
`
	var out bytes.Buffer
	if err := run(t.Context(), dir, strings.NewReader(lines), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}

// TestBreakdowns lets a plugin break down in each way, while another one works
// and keeps what it has in memory.
func TestBreakdowns(t *testing.T) {
	t.Parallel()
	plugins, err := Load(t.Context(), build(t, "numbers", "faulty"), Options{Deadline: 2 * time.Second, Memory: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := plugins.Close(); err != nil {
			t.Error(err)
		}
	}()
	for i, breakdown := range []string{"Crashes", "Hangs", "Hoards"} {
		result := make(chan error)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		if breakdown == "Hangs" {
			ctx, cancel = context.WithTimeout(t.Context(), 100*time.Millisecond)
		}
		go func() {
			_, err := plugins.Call(ctx, "faulty."+breakdown)
			result <- err
		}()
		for n := range int64(20) {
			got, err := plugins.Call(t.Context(), "numbers.Add", 1)
			if want := int64(20*i) + n + 1; got != want || err != nil {
				t.Fatalf("numbers.Add = %v, %v; want %d", got, err, want)
			}
		}
		err := <-result
		cancel()
		if !errors.Is(err, ErrReplaced) || (breakdown == "Hangs") != errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", breakdown, err)
		}
		if got, err := plugins.Call(t.Context(), "faulty.Works"); got != "works" || err != nil {
			t.Errorf("after %s: %v, %v", breakdown, got, err)
		}
	}
}

func TestLoad(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	dir := t.TempDir()
	if _, err := Load(t.Context(), dir, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty directory: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "text.plugin"), []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(t.Context(), dir, Options{})
	if _, ok := errors.AsType[*airlock.GuestFormatError](err); !ok || !strings.Contains(err.Error(), "text.plugin") {
		t.Errorf("a file that is no program: %v", err)
	}
}
