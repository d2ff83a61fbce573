package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// spinCode writes "ok\n" and then does nothing, for ever.
var spinCode = append(append([]byte(nil), tinyCode[:21]...), 0xeb, 0xfe, // jmp .
	0, 0, 0, 0, 0, 0, 0) // up to where the text is

// TestInterrupt sends signals to "airlock run", as the terminal and as init do.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	requireKVM(t)
	guest := filepath.Join(t.TempDir(), "spin")
	if err := os.WriteFile(guest, smallELF(append(spinCode, tinyText...)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		signal os.Signal
		code   int
		want   string
	}{
		{os.Interrupt, 130, "airlock: interrupted\n"},
		{terminate, 143, "airlock: terminated\n"},
	} {
		t.Run(test.signal.String(), func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "airlock", "run", guest)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
				t.Fatalf("stdout = %q, %v; want a line (stderr %q)", line, err, stderr.String())
			}
			if err := cmd.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != test.code || stderr.String() != test.want {
				t.Errorf("%v: %v, stderr %q; want code %d, %q", test.signal, err, stderr.String(), test.code, test.want)
			}
		})
	}
}

// hang is a command that takes no notice of the end of its context.
func hang() {
	ctx, stop := withInterrupts(context.Background())
	defer stop()
	fmt.Println("ready")
	<-ctx.Done()
	fmt.Println("signalled")
	select {}
}

// TestSecondInterrupt sends a second signal to a command that hangs.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "airlock-hang")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(stdout)
	for _, want := range []string{"ready\n", "signalled\n"} {
		if line, err := lines.ReadString('\n'); line != want {
			t.Fatalf("stdout = %q, %v; want %q", line, err, want)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Wait(); err == nil || err.Error() != "signal: interrupt" {
		t.Errorf("after the second signal: %v; want it to be killed by it", err)
	}
}
