package main

import (
	"context"
	"strconv"
)

// innerTimes is how often a program that times itself does its work in one run.
const innerTimes = 6

// inner is what a program's own clock says about its work, inside and native.
type inner struct {
	inside, native series
	// The first time in a run touches fresh memory, and is kept apart.
	firstInside, firstNative series
}

// innerTime lets a program do a piece of work inside and outside in turn. The
// program prints how long each time took, in a unit that has so many nanoseconds.
// Of the times of one run after the first, typical chooses what counts.
func (b *bench) innerTime(ctx context.Context, p *program, work string, unit float64, typical func(series) float64) (*inner, error) {
	if err := p.build(ctx, b.temp); err != nil {
		return nil, err
	}
	const pairs = 11
	var r inner
	one := func(run func(context.Context, ...string) (string, error), first *series) sample {
		return func() (float64, error) {
			out, err := run(ctx, work, strconv.Itoa(innerTimes))
			if err != nil {
				return 0, err
			}
			list, err := numbers(out)
			if err != nil {
				return 0, err
			}
			*first = append(*first, list[0]*unit)
			return typical(list[1:]) * unit, nil
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
