package airlock_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
)

// workerHost is in the environment of the test binary that TestWorkerDiesWithHost
// starts.
const workerHost = "AIRLOCK_TEST_WORKER_HOST"

// TestWorkerHost is the host that dies. By itself it only shows that its worker
// runs.
func TestWorkerHost(t *testing.T) {
	sb := isolatedSandbox(t, isolated)
	status, err := airlock.Call[string](t.Context(), sb, "HostString", "status")
	if err != nil {
		t.Fatal(err)
	}
	_, line, ok := strings.Cut(status, "\nPid:")
	var pid int
	if _, err := fmt.Sscan(line, &pid); !ok || err != nil || pid == os.Getpid() {
		t.Fatalf("no process of its own: %q", status)
	}
	if os.Getenv(workerHost) == "" {
		return
	}
	fmt.Printf("\nworker %d\n", pid)
	_, err = sb.Call(t.Context(), "HostString", "spin")
	t.Fatalf("a function that never ends has ended: %v", err)
}

// TestWorkerDiesWithHost kills an application while one of its workers is in a
// function that never ends: the worker dies too, though nobody closes it and it
// looks at nothing.
func TestWorkerDiesWithHost(t *testing.T) {
	command := exec.Command(os.Args[0], "-test.run=^TestWorkerHost$")
	command.Env = append(os.Environ(), workerHost+"=1", "TMPDIR="+t.TempDir())
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	var worker int
	for lines := bufio.NewScanner(out); worker == 0 && lines.Scan(); {
		_, _ = fmt.Sscanf(lines.Text(), "worker %d", &worker)
	}
	until(t, "the worker spins", func() bool { return worker == 0 || processTime(worker) > 5 })
	_ = command.Process.Kill()
	if err := command.Wait(); worker == 0 {
		t.Fatalf("the host has not said what its worker is: %v", err)
	}
	defer func() {
		if processTime(worker) >= 0 {
			_ = syscall.Kill(worker, syscall.SIGKILL)
		}
	}()
	until(t, "the worker is gone", func() bool { return processTime(worker) < 0 })
}

// until waits for what must become true.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still not true: %s", what)
		}
	}
}

// processTime is the processor time that a process has used, in the kernel's
// ticks of 10 ms, or -1 if it has ended, also where nobody takes notice of that.
func processTime(pid int) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || syscall.Kill(pid, 0) != nil {
		return -1
	}
	_, fields, _ := strings.Cut(string(text), ") ")
	words := strings.Fields(fields)
	if len(words) < 13 || words[0] == "Z" || words[0] == "X" {
		return -1
	}
	var user, system int
	if _, err := fmt.Sscan(words[11]+" "+words[12], &user, &system); err != nil {
		return -1
	}
	return user + system
}
