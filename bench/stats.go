package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// series is what was measured of one thing, time after time, in nanoseconds.
type series []float64

// quantile returns the value below which the given part of the series lies.
func (s series) quantile(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}

func (s series) median() float64  { return s.quantile(0.5) }
func (s series) fastest() float64 { return s.quantile(0) }

func (s series) geometricMean() float64 {
	sum := 0.0
	for _, v := range s {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(s)))
}

// spread is a series in three numbers. The tenth and the ninetieth percentile
// stand for its width, because the extremes of a busy machine say nothing.
type spread struct {
	Median float64 `json:"median"`
	P10    float64 `json:"p10"`
	P90    float64 `json:"p90"`
	Count  int     `json:"count"`
}

func (s series) spread() spread {
	return spread{Median: s.median(), P10: s.quantile(0.1), P90: s.quantile(0.9), Count: len(s)}
}

// ratios divides one series by another, pair by pair. The two of a pair were
// measured next to each other, so what else the machine did meanwhile is in
// both of them.
func ratios(above, below series) series {
	list := make(series, min(len(above), len(below)))
	for i := range list {
		list[i] = above[i] / below[i]
	}
	return list
}

// sample measures something once.
type sample func() (ns float64, err error)

// timed is the sample of how long something takes.
func timed(do func() error) sample {
	return func() (float64, error) {
		start := time.Now()
		err := do()
		return float64(time.Since(start)), err
	}
}

// rest is how long the machine needs to be done with what a sandbox or a process
// leaves behind: Close returns before the kernel has taken everything back.
const rest = 3 * time.Millisecond

// rested is the sample of something that starts on a machine that has nothing
// else to do.
func rested(take sample) sample {
	return func() (float64, error) {
		time.Sleep(rest)
		return take()
	}
}

// lasting is the sample of how long one of several takes, as many as last so
// long together. The first of such samples finds out how many these are.
func lasting(least time.Duration, do func() error) sample {
	count := 1
	return func() (float64, error) {
		for {
			start := time.Now()
			for range count {
				if err := do(); err != nil {
					return 0, err
				}
			}
			elapsed := time.Since(start)
			if elapsed >= least {
				return float64(elapsed) / float64(count), nil
			}
			count *= 2
		}
	}
}

// interleave takes samples in rounds, one of each a round, so that none has the better
// part of the time to itself. The order of each round is another one: what comes after
// a process was started, say, finds the caches of the processor full of something else
// (half a millisecond for a new sandbox), and no side may always be the one. The orders
// are the same in every run. The first round warms up and does not count.
func interleave(rounds int, samples ...sample) ([]series, error) {
	list := make([]series, len(samples))
	order := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // G404: nobody gains by guessing it
	next := make([]int, len(samples))
	for i := range next {
		next[i] = i
	}
	for round := -1; round < rounds; round++ {
		for _, i := range next {
			ns, err := samples[i]()
			if err != nil {
				return nil, err
			}
			if round >= 0 {
				list[i] = append(list[i], ns)
			}
		}
		order.Shuffle(len(next), func(i, j int) { next[i], next[j] = next[j], next[i] })
	}
	return list, nil
}
