package leak_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/airlockvm/airlock/internal/leak"
)

func TestLeak(t *testing.T) {
	if r := leak.Open("before"); r != nil {
		t.Error("tracking is on by default")
	}
	leak.Track()
	leak.Track()
	a, b := leak.Open("a thing"), leak.Open("another")
	if n := leak.Count(); n != 2 {
		t.Errorf("%d resources, want 2", n)
	}
	b.Close()
	b.Close()
	report := leak.Report()
	if len(report) != 1 || !strings.HasPrefix(report[0], "a thing opened by") || !strings.Contains(report[0], "TestLeak") {
		t.Errorf("report %q", report)
	}
	a.Close()
	if n, report := leak.Count(), leak.Report(); n != 0 || len(report) != 0 {
		t.Errorf("%d resources, report %q", n, report)
	}
	var none *leak.Resource
	none.Close()
}

func TestConcurrent(t *testing.T) {
	leak.Track()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 100 {
				r := leak.Open("x")
				leak.Report()
				r.Close()
			}
		})
	}
	wg.Wait()
	if n := leak.Count(); n != 0 {
		t.Errorf("%d resources", n)
	}
}
