package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

func TestMemorySize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"64MiB":   64 << 20,
		"64M":     64 << 20,
		"64mb":    64 << 20,
		"64 MiB":  64 << 20,
		"1GiB":    1 << 30,
		"1.5g":    3 << 29,
		"2097152": 2 << 20,
		"512k":    512 << 10,
		"100B":    100,
	} {
		var s memorySize
		if err := s.Set(text); err != nil || int64(s) != want {
			t.Errorf("Set(%q) = %d, %v; want %d", text, s, err, want)
		}
	}
	for _, text := range []string{
		"", "MiB", "-1", "-64MiB", "64Q", "64MiBs", "1e30", "9999999999GiB", "5GiB", "0", "0MiB", "NaN", "0x10 M", "1 2",
	} {
		s := memorySize(42)
		if err := s.Set(text); err == nil || s != 42 {
			t.Errorf("Set(%q) = %d, %v; want an error and no change", text, s, err)
		}
	}
	s := memorySize(airlock.DefaultMemory)
	if got := s.String(); got != "64MiB" {
		t.Errorf("String() = %q; want 64MiB", got)
	}
}

func TestRunFlags(t *testing.T) {
	t.Parallel()
	cmd := newRunCommand()
	args := strings.Fields("-v --memory 1GiB --timeout=5s --env A=1,2 --env B= --trace --trace-file f --jit guest --memory 1 -v x")
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if got, want := cmd.Flags().Args(), []string{"guest", "--memory", "1", "-v", "x"}; !slices.Equal(got, want) {
		t.Errorf("arguments = %q; want %q", got, want)
	}
	for name, want := range map[string]string{
		"memory": "1GiB", "timeout": "5s", "trace": "true", "trace-file": "f", "jit": "true", "verbose": "true",
	} {
		if got := cmd.Flags().Lookup(name).Value.String(); got != want {
			t.Errorf("--%s = %s; want %s", name, got, want)
		}
	}
	env, ok := cmd.Flags().Lookup("env").Value.(*envList)
	if !ok || !slices.Equal(*env, envList{"A=1,2", "B="}) {
		t.Errorf("--env = %q; want A=1,2 and B=", *env)
	}
}

func TestRunDefaults(t *testing.T) {
	t.Parallel()
	cmd := newRunCommand()
	for name, want := range map[string]string{
		"memory": "64MiB", "timeout": "0s", "trace": "false", "trace-file": "", "jit": "false", "verbose": "false", "env": "",
	} {
		if got := cmd.Flags().Lookup(name).DefValue; got != want {
			t.Errorf("--%s is %q by default; want %q", name, got, want)
		}
	}
	if timeout, err := cmd.Flags().GetDuration("timeout"); err != nil || timeout != time.Duration(0) {
		t.Errorf("--timeout = %v, %v; want 0", timeout, err)
	}
}
