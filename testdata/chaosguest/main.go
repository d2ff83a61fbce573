// Chaosguest does at random whatever a program can do to its kernel and its host:
// system calls, hypercalls of all forms, writes to the pages and buffers that it
// shares with the host, to page tables and to the kernel.
package main

import (
	"math/rand/v2"
	"runtime/debug"
	"syscall"
	"unsafe"

	"github.com/airlockvm/airlock/guest"
)

// physmap is where all guest-physical memory is mapped.
const physmap = 0x7f8000000000

const (
	firstPort, lastPort = 0xa100, 0xa10e // the hypercalls and one on either side
	lastSyscall         = 520
	kernelStart         = 0x2000
	pages               = 64 << 20 >> 12
)

// out writes EAX to a port, in three sizes.
func out32(port uint16, value uint32)
func out16(port uint16, value uint32)
func out8(port uint16, value uint32)

func main() {
	debug.SetGCPercent(-1)
	guest.Export("Play", play)
	guest.Serve()
}

// play takes n random actions of the kinds that the mask allows.
func play(seed, n int64, kinds uint32) {
	r := rand.New(rand.NewPCG(uint64(seed), 11))
	var buffer [4096]byte
	for range n {
		switch kind := r.IntN(8); {
		case kinds>>kind&1 == 0:
		case kind < 2:
			call(r, &buffer)
		case kind == 2:
			hypercall(r)
		case kind == 3:
			poke(uint64(r.IntN(0x2000)), value(r)) // control and clock page
		case kind == 4:
			poke(pages<<12-uint64(1+r.IntN(0x30000)), value(r)) // the buffers
		case kind == 5:
			poke(kernelStart+uint64(r.IntN(0x40000)), value(r)) // the kernel
		case kind == 6:
			poke(uint64(r.IntN(pages))<<12+uint64(r.IntN(4096)), value(r)) // anything, page tables too
		default:
			poke(0x500+uint64(r.IntN(64)), uint64(r.Uint32())) // lengths and results of hypercalls
			hypercall(r)
		}
	}
}

func poke(gpa, value uint64) {
	address := physmap + gpa&^7
	*(*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&address))) = value
}

// value is one of those that programs get wrong, or any.
func value(r *rand.Rand) uint64 {
	switch r.IntN(6) {
	case 0:
		return 0
	case 1:
		return ^uint64(0)
	case 2:
		return 1 << r.IntN(64)
	case 3:
		return 1<<r.IntN(64) - 1
	case 4:
		return uint64(r.IntN(0x20000))
	}
	return r.Uint64()
}

func hypercall(r *rand.Rand) {
	port := uint16(firstPort + r.IntN(lastPort-firstPort+1))
	switch r.IntN(20) {
	case 0:
		out16(port, 0)
	case 1:
		out8(port, 0)
	case 2:
		out32(uint16(r.Uint32()), 0)
	case 3:
		out32(port, r.Uint32())
	default:
		out32(port, 0)
	}
}

// call makes a system call with arguments of which some are addresses.
func call(r *rand.Rand, buffer *[4096]byte) {
	var args [6]uintptr
	for i := range args {
		switch r.IntN(3) {
		case 0:
			args[i] = uintptr(unsafe.Pointer(&buffer[r.IntN(4096)]))
		case 1:
			args[i] = uintptr(r.IntN(8))
		default:
			args[i] = uintptr(value(r))
		}
	}
	_, _, _ = syscall.RawSyscall6(uintptr(r.IntN(lastSyscall)), args[0], args[1], args[2], args[3], args[4], args[5])
}
