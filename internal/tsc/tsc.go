// Package tsc reads the time stamp counter, the clock that host and guests
// share: counting is all that it does, at a rate that stays the same.
//
// Where there is no such counter, it always reads 0.
package tsc
