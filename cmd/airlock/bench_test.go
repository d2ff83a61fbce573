package main

import (
	"context"
	"errors"
	"io"
	"os"
	"slices"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		all  []time.Duration
		want time.Duration
	}{
		{nil, 0},
		{[]time.Duration{7}, 7},
		{[]time.Duration{9, 1, 5}, 5},
		{[]time.Duration{9, 1, 5, 2, 1000}, 5},
	} {
		if got := median(test.all); got != test.want {
			t.Errorf("median(%v) = %v; want %v", test.all, got, test.want)
		}
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		d    time.Duration
		want string
	}{
		{0, "0s"},
		{123, "123ns"},
		{12345, "12.35µs"},
		{2345678, "2.346ms"},
		{3456789012, "3.457s"},
	} {
		if got := round(test.d).String(); got != test.want {
			t.Errorf("round(%v) = %s; want %s", test.d, got, test.want)
		}
	}
}

// TestFloor checks that the floor measures what it says: it can't be free, and
// pages and exits are far cheaper than machines.
func TestFloor(t *testing.T) {
	t.Parallel()
	requireKVM(t)
	kit, err := newFloorKit()
	if err != nil {
		t.Fatal(err)
	}
	defer kit.close()
	create, err := kit.measureCreate()
	if err != nil || create <= 0 {
		t.Errorf("measureCreate() = %v, %v; want a time", create, err)
	}
	exit, err := kit.measureExit()
	if err != nil || exit <= 0 {
		t.Errorf("measureExit() = %v, %v; want a time", exit, err)
	}
	touch, err := kit.measureTouch()
	if err != nil || touch <= 0 {
		t.Errorf("measureTouch() = %v, %v; want a time", touch, err)
	}
}

func TestMeasureStops(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	b := &bench{each: time.Hour, progress: io.Discard}
	runs := 0
	err := b.measure(ctx, measurement{"", func() (time.Duration, error) {
		if runs++; runs == 3 {
			cancel(interrupted{os.Interrupt})
		}
		return 1, nil
	}})
	if !errors.As(err, new(interrupted)) || runs != 3 {
		t.Errorf("measure = %v after %d runs; want interrupted after 3", err, runs)
	}
}

func TestMeasureCompares(t *testing.T) {
	t.Parallel()
	b := &bench{each: time.Nanosecond, progress: io.Discard}
	always := func(d time.Duration) func() (time.Duration, error) {
		return func() (time.Duration, error) { return d, nil }
	}
	if err := b.measure(t.Context(), measurement{"base", always(10)}, measurement{"more", always(25)}); err != nil {
		t.Fatal(err)
	}
	want := []figure{
		{Name: "base", Median: 10, Samples: benchLeast},
		{Name: "more", Median: 25, Samples: benchLeast, Against: "base", Ratio: 2.5},
	}
	if !slices.Equal(b.Figures, want) {
		t.Errorf("figures = %+v; want %+v", b.Figures, want)
	}
	err := b.measure(t.Context(), measurement{"bad", func() (time.Duration, error) { return 0, errors.New("airlock: no") }})
	if err == nil || err.Error() != "bad: no" {
		t.Errorf("measure of a failure = %v; want bad: no", err)
	}
}
