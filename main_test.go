package airlock_test

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock/internal/kvm"
	"github.com/airlockvm/airlock/internal/kvmtest"
	"github.com/airlockvm/airlock/internal/leak"
)

// TestMain leaves the examples out where there is no hypervisor, which in CI is
// a failure, and looks for what the tests have left behind.
func TestMain(m *testing.M) {
	isolatedMain()
	flag.Parse()
	sys, err := kvm.Open(kvm.DefaultDevice)
	switch {
	case err == nil:
		_ = sys.Close()
	case os.Getenv("CI") == "true":
		log.Fatal("in CI nothing is skipped: ", err)
	default:
		fmt.Fprintln(os.Stderr, "the examples are skipped:", err)
		if err := flag.Set("test.skip", "^Example"); err != nil {
			log.Fatal(err)
		}
	}
	leak.Track()
	goroutines := runtime.NumGoroutine()
	status := m.Run()
	if status == 0 && !kvmtest.Fuzzing() {
		if report := leaked(goroutines); report != "" {
			fmt.Fprintln(os.Stderr, "the tests passed but left this behind:", report)
			status = 99
		}
	}
	os.Exit(status)
}

// leaked describes what is left, after giving what is on its way out a moment.
// It is empty if all is well.
func leaked(goroutines int) string {
	const (
		patience = 5 * time.Second
		kept     = 1 // the library opens the KVM device once for the process
	)
	builtGuests.forget()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		runtime.GC() // guests are freed when they are unreachable
		resources, running := leak.Count(), runtime.NumGoroutine()
		if resources <= kept && running <= goroutines {
			return ""
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			return fmt.Sprintf("%d resources instead of %d\n%s\n%d goroutines instead of %d\n%s",
				resources, kept, strings.Join(leak.Report(), "\n"), running, goroutines, stacks)
		}
	}
}
