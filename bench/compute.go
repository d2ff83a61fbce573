package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// The part of native speed that is promised: of each piece of work, and of all
// together, in which what disturbs a single one counts less.
const (
	computeFloor     = 0.95
	computeMeanFloor = 0.97
)

// computeWork is a piece of work of the programs compute.
type computeWork struct {
	name, work string
	times      int // about 300 ms natively
	choose     func(*programs) *program
}

func computeWorks() []computeWork {
	inGo := func(p *programs) *program { return &p.computeGo }
	inC := func(p *programs) *program { return &p.computeC }
	return []computeWork{
		{"Go: SHA-256 of 16 MiB", "sha256", 28, inGo},
		{"Go: sort of 500 000 ints", "sort", 16, inGo},
		{"Go: JSON there and back", "json", 16, inGo},
		{"Go: regular expressions", "regexp", 12, inGo},
		{"Go: float64 matrices", "matrix", 20, inGo},
		{"C: SHA-256 of 8 MiB", "sha256", 9, inC},
		{"C: sort of 500 000 longs", "sort", 9, inC},
		{"C: double matrices", "matrix", 40, inC},
	}
}

func computeExperiments() []experiment {
	works := computeWorks()
	list := make([]experiment, 0, len(works)+1)
	for _, w := range works {
		list = append(list, experiment{sectionCompute, w.name, func(ctx context.Context, b *bench) ([]row, error) {
			return b.compute(ctx, &w)
		}})
	}
	return append(list, experiment{sectionCompute, "geometric mean", computeMean})
}

func (b *bench) compute(ctx context.Context, w *computeWork) ([]row, error) {
	// The same work always takes the same time, and a shared machine only ever adds
	// to it: the fastest time of a run is the one that says most about the sandbox.
	r, err := b.innerTime(ctx, w.choose(b.programs), innerWork{name: w.work, times: w.times, unit: 1, typical: series.fastest})
	if err != nil {
		return nil, err
	}
	rows := []row{
		against(w.name, r.inside, r.native, ratios(r.native, r.inside), atLeast(computeFloor)),
		against("  the first time", r.firstInside, r.firstNative, ratios(r.firstNative, r.firstInside), nil),
	}
	b.computed[w.name] = rows[0].Ratio.Median
	return rows, nil
}

// computeMean judges what was measured of the pieces of work. When it is asked
// again, because that was too little, it measures them again.
func computeMean(ctx context.Context, b *bench) ([]row, error) {
	if b.computeJudged {
		for _, w := range computeWorks() {
			if _, measured := b.computed[w.name]; !measured {
				continue
			}
			if _, err := b.compute(ctx, &w); err != nil {
				return nil, err
			}
		}
	}
	b.computeJudged = true
	if len(b.computed) == 0 {
		return nil, nil
	}
	list := series(slices.Collect(maps.Values(b.computed)))
	return []row{counted(fmt.Sprintf("geometric mean of %d", len(list)), list.geometricMean(), len(list), atLeast(computeMeanFloor))}, nil
}
