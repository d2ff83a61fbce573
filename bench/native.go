package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall" //nolint:depguard // the reference that Airlock is compared with must have nothing around it
)

// forkExec runs the program to its end with as little around it as the standard
// library allows: vfork, exec and wait. Its output goes nowhere. This is the
// reference for booting a sandbox.
func (p *program) forkExec() error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close() //nolint:errcheck // nothing was written to it
	fd := null.Fd()
	pid, err := syscall.ForkExec(p.path, []string{p.name}, &syscall.ProcAttr{ //nolint:gosec // G204: a program that build made
		Env:   programEnv(),
		Files: []uintptr{fd, fd, fd},
	})
	if err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	var status syscall.WaitStatus
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR { //nolint:errorlint // an errno straight from the kernel
			break
		}
	}
	if err != nil || status != 0 {
		return fmt.Errorf("%s: status %#x, %w", p.name, int(status), err)
	}
	return nil
}

// osExec runs the program as most Go code would.
func (p *program) osExec(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, p.path) //nolint:gosec // G204: a program that build made
	cmd.Env = programEnv()
	return cmd.Run()
}
