package main

import "context"

// computeFloor is the part of native speed that is promised.
const computeFloor = 0.95

func computeExperiments() []experiment {
	inGo := func(p *programs) *program { return &p.computeGo }
	inC := func(p *programs) *program { return &p.computeC }
	var list []experiment
	for _, e := range []struct {
		name, work string
		choose     func(*programs) *program
	}{
		{"Go: SHA-256 of 64 MiB", "sha256", inGo},
		{"Go: sort of 2 million ints", "sort", inGo},
		{"Go: JSON there and back", "json", inGo},
		{"Go: regular expressions", "regexp", inGo},
		{"Go: float64 matrices", "matrix", inGo},
		{"C: rounds of SHA-256", "integers", inC},
		{"C: qsort of 300 000 longs", "sort", inC},
		{"C: double matrices", "matrix", inC},
	} {
		list = append(list, experiment{sectionCompute, e.name, func(ctx context.Context, b *bench) ([]row, error) {
			// The same work always takes the same time, and a shared machine only ever adds
			// to it: the fastest time of a run is the one that says most about the sandbox.
			r, err := b.innerTime(ctx, e.choose(b.programs), e.work, 1, series.fastest)
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
