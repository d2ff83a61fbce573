package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this test binary serve as the command airlock in the scripts.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"airlock": main, "airlock-hang": hang})
}

// TestScripts runs what users would type. UPDATE_GOLDEN=1 rewrites what the
// scripts compare with.
func TestScripts(t *testing.T) {
	t.Parallel()
	goEnv, err := goEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_GOLDEN") != "",
		Condition:           condition,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"tinyguest": writeTinyGuest, "buildguest": buildGuest, "registry": startRegistry, "image": pushImage,
		},
		Setup: func(env *testscript.Env) error {
			env.Vars = append(env.Vars, goEnv...)
			env.Setenv("NO_KVM", "needs "+kvm.DefaultDevice+": "+fmt.Sprint(kvmMissing()))
			env.Setenv("HOST_SECRET", "of the host")
			env.Setenv("REPOSITORY", repository)
			return nil
		},
	})
}

// condition says whether there is a hypervisor or a C compiler. Without them
// scripts are skipped; in CI nothing is.
func condition(name string) (bool, error) {
	var missing error
	switch name {
	case "kvm":
		missing = kvmMissing()
	case "cc":
		_, missing = exec.LookPath("gcc")
	default:
		return false, fmt.Errorf("unknown condition %q", name)
	}
	if missing != nil && os.Getenv("CI") == "true" {
		return false, fmt.Errorf("in CI nothing is skipped: %w", missing)
	}
	return missing == nil, nil
}

// kvmMissing returns why sandboxes can't be run here, or nil.
func kvmMissing() error {
	sys, err := kvm.Open(kvm.DefaultDevice)
	if err != nil {
		return err
	}
	return sys.Close()
}

// requireKVM is the condition "kvm" for tests that are no scripts.
func requireKVM(t *testing.T) {
	t.Helper()
	switch ok, err := condition("kvm"); {
	case err != nil:
		t.Fatal(err)
	case !ok:
		t.Skip(kvmMissing())
	}
}

// writeTinyGuest is the script command "tinyguest FILE".
func writeTinyGuest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: tinyguest FILE")
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), tinyGuest(), 0o700))
}

// buildGuest is the script command "buildguest NAME": it builds the guest
// testdata/guests/NAME, which needs the SDK, and so is part of this module.
func buildGuest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: buildguest NAME")
	}
	cmd := exec.Command("go", "build", "-o", ts.MkAbs(args[0]), "./testdata/guests/"+args[0])
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("go build: %v\n%s", err, out)
	}
}

// goEnvironment returns what the go command needs in the scripts, where there is
// no home directory: the caches of this process, and no network.
func goEnvironment() ([]string, error) {
	names := []string{"GOCACHE", "GOMODCACHE", "GOPATH"}
	out, err := exec.Command("go", append([]string{"env"}, names...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(values) != len(names) {
		return nil, errors.New("go env: unexpected output")
	}
	env := []string{"GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS="}
	for i, n := range names {
		env = append(env, n+"="+values[i])
	}
	return env, nil
}
