package main

import (
	"context"
	"strconv"
)

// inner is what a program's own clock says about its work, inside and native.
type inner struct {
	inside, native series
	// The first time in a run touches fresh memory, and is kept apart.
	firstInside, firstNative series
}

// innerWork is a piece of work that a program times itself.
type innerWork struct {
	name  string
	times int     // in one run of the program
	unit  float64 // what the program counts in, in nanoseconds
	// typical says what of the times of one run counts. The first is not among them.
	typical func(series) float64
}

// innerTime lets a program do a piece of work inside and outside in turn.
func (b *bench) innerTime(ctx context.Context, p *program, w innerWork) (*inner, error) {
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	const pairs = 11
	var r inner
	one := func(run func(context.Context, ...string) (string, error), first *series) sample {
		return func() (float64, error) {
			out, err := run(ctx, w.name, strconv.Itoa(w.times))
			if err != nil {
				return 0, err
			}
			list, err := numbers(out)
			if err != nil {
				return 0, err
			}
			*first = append(*first, list[0]*w.unit)
			return w.typical(list[1:]) * w.unit, nil
		}
	}
	list, err := interleave(b.times(pairs), one(p.native, &r.firstNative), one(p.inside, &r.firstInside))
	if err != nil {
		return nil, err
	}
	r.native, r.inside = list[0], list[1]
	r.firstNative, r.firstInside = r.firstNative[1:], r.firstInside[1:] // as interleave drops its first round
	return &r, nil
}
