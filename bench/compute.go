package main

import "context"

// computeFloor is the part of native speed that is promised.
const computeFloor = 0.95

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
	var list []experiment
	for _, e := range computeWorks() {
		list = append(list, experiment{sectionCompute, e.name, func(ctx context.Context, b *bench) ([]row, error) {
			// The same work always takes the same time, and a shared machine only ever adds
			// to it: the fastest time of a run is the one that says most about the sandbox.
			w := innerWork{name: e.work, times: e.times, unit: 1, typical: series.fastest}
			r, err := b.innerTime(ctx, e.choose(b.programs), w)
			if err != nil {
				return nil, err
			}
			return []row{
				against(e.name, r.inside, r.native, ratios(r.native, r.inside), atLeast(computeFloor)),
				against("  the first time", r.firstInside, r.firstNative, ratios(r.firstNative, r.firstInside), nil),
			}, nil
		}})
	}
	return list
}
