package faults

import "testing"

func TestFailNth(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatalf("Check() = %v, and nobody asked for it", err)
	}
	stop := FailNth(3)
	for i, want := range []error{nil, nil, Err, nil} {
		if err := Check(); err != want { //nolint:errorlint // exactly this one
			t.Errorf("call %d: %v, want %v", i+1, err, want)
		}
	}
	if !stop() {
		t.Error("it was not reached")
	}
	stop = FailNth(2)
	if err := Check(); err != nil {
		t.Error(err)
	}
	if stop() || Check() != nil || Check() != nil {
		t.Error("it was reached, or goes on")
	}
}
