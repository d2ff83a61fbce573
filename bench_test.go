package airlock_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// These are for a quick look and for profiles. What is promised is measured, and
// beside the same programs run natively, by the command in bench/.

// BenchmarkNewClose makes a sandbox of the default size and closes it.
func BenchmarkNewClose(b *testing.B) {
	guest := benchmarkGuest(b, "gcc", "-O2", "-static", "test/guests/c/hello.c")
	b.ReportAllocs()
	for b.Loop() {
		sb, err := airlock.New(b.Context(), guest, airlock.Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := sb.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBootCHello runs a static C program from New to Close.
func BenchmarkBootCHello(b *testing.B) {
	benchmarkBoot(b, benchmarkGuest(b, "gcc", "-O2", "-static", "test/guests/c/hello.c"))
}

// BenchmarkBootGoHello runs a Go program from New to Close.
func BenchmarkBootGoHello(b *testing.B) {
	benchmarkBoot(b, benchmarkGuest(b, "go", "-C", "test/guests", "build", "./go/hello"))
}

func benchmarkBoot(b *testing.B, guest *airlock.Guest) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		sb, err := airlock.New(b.Context(), guest, airlock.Options{})
		if err != nil {
			b.Fatal(err)
		}
		code, err := sb.Run(b.Context(), airlock.Process{Stdout: io.Discard})
		if err != nil || code != 0 {
			b.Fatal(code, err)
		}
		if err := sb.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// benchmarkGuest builds a guest with a command that takes -o FILE before its
// last argument.
func benchmarkGuest(b *testing.B, command ...string) *airlock.Guest {
	b.Helper()
	kvmtest.Require(b)
	if _, err := exec.LookPath(command[0]); err != nil {
		kvmtest.Skip(b, err.Error())
	}
	path := filepath.Join(b.TempDir(), "guest")
	last := len(command) - 1
	args := append(command[1:last:last], "-o", path, command[last])
	build := exec.CommandContext(b.Context(), command[0], args...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		b.Fatal(err)
	}
	return guest
}
