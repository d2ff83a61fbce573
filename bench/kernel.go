package main

import "context"

func kernelExperiments() []experiment {
	const firstTouch = "  on memory that the host has yet to give"
	var list []experiment
	for _, e := range []struct{ name, work, first string }{
		{"null system call (getppid)", "call", ""},
		{"clock_gettime", "clock", ""},
		{"thread switch by futex", "switch", ""},
		{"touch of a page, in order", "upwards", firstTouch},
		{"touch of a page, backwards", "downwards", firstTouch},
		{"touch of a page, in four places in turn", "in-turn", firstTouch},
		{"touch of a page, all over", "all-over", firstTouch},
	} {
		list = append(list, experiment{sectionKernel, e.name, func(ctx context.Context, b *bench) ([]row, error) {
			const picosecond = 1e-3
			w := innerWork{name: e.work, times: 6, unit: picosecond, typical: series.median}
			r, err := b.innerTime(ctx, &b.programs.kernelC, w)
			if err != nil {
				return nil, err
			}
			rows := []row{against(e.name, r.inside, r.native, ratios(r.inside, r.native), nil)}
			if e.first != "" {
				rows = append(rows, against(e.first, r.firstInside, r.firstNative, ratios(r.firstInside, r.firstNative), nil))
			}
			return rows, nil
		}})
	}
	return list
}
