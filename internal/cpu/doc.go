// Package cpu has instructions of the processor that Go has no functions
// for: the time stamp counter, what two processors need that meet in shared memory,
// and vectors of bytes. The library and the SDK use them alike.
//
// Elsewhere than on amd64 the counter always reads 0.
package cpu

// CacheLine is the unit in which processors exchange memory, in bytes.
const CacheLine = 64
