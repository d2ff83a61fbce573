// Package cpu has single instructions of the processor that Go has no functions
// for: the time stamp counter, and what two processors need that meet in shared
// memory. The library and the SDK use them alike.
//
// Elsewhere than on amd64 the counter always reads 0.
package cpu
