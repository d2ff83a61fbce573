package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/airlockvm/airlock/internal/kvmtest"
)

func TestHello(t *testing.T) {
	t.Parallel()
	kvmtest.Require(t)
	guest := filepath.Join(t.TempDir(), "hello.guest")
	build := exec.Command("go", "build", "-o", guest, "./guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, text)
	}
	var out bytes.Buffer
	if err := hello(&out, guest); err != nil {
		t.Fatal(err)
	}
	if want := "Hello, World! Today is Monday.\n"; out.String() != want {
		t.Errorf("hello printed %q; want %q", &out, want)
	}
}
