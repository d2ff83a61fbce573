package main

import (
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/wire"
)

// Two threads: one sends messages, the other changes them between the moment
// when they are written and the one when they are sent. Both have to give way to
// each other, for there is one processor; it stands still while the host reads.

const raced = 1000 // bytes of the text that is sent

func yield() { _, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_YIELD, 0, 0, 0) }

// race sends host calls, as many as it is told, while another thread changes
// their text, or any byte of them, and returns how many answers had the text in
// another form than it was written in.
func race(anything bool, rounds uint64) (changed int) {
	runtime.GOMAXPROCS(2)
	var stop atomic.Bool
	var length atomic.Int64
	go func() {
		runtime.LockOSThread()
		for !stop.Load() {
			n := int(length.Load())
			position, value := rand.IntN(n+1), byte('b')
			switch {
			case n == 0:
			case anything:
				output[position%n] = byte(rand.Uint32())
			case n > raced+8:
				output[n-8-rand.IntN(raced-8)] = value
			}
			yield()
		}
	}()
	runtime.LockOSThread()
	want := strings.Repeat("a", raced)
	for range rounds {
		n, err := wire.PutCall(output, &wire.Call{Name: "EchoString", Args: []wire.Value{wire.String(want)}})
		if err != nil {
			return -1
		}
		length.Store(int64(n))
		yield()
		answer, errno := send(abi.OperationHost, n)
		result, err := wire.DecodeResult(answer)
		if errno != 0 || err != nil || result.Err != nil {
			continue
		}
		if got, _ := result.Value.Text(); got != want {
			changed++
		}
	}
	stop.Store(true)
	return changed
}

// raceLength does so with the length of the message, in the page that the host
// reads it from.
func raceLength() {
	runtime.GOMAXPROCS(2)
	message := (*abi.Message)(at(abi.Physmap + abi.ControlOffsetMessage))
	n := uint64(putCall("EchoString", parameter{typeString, text(marker)}))
	go func() {
		runtime.LockOSThread()
		for {
			atomic.StoreUint64(&message.Length, []uint64{n, n, n, n, n, n - 1, 0, ^uint64(0), 1 << 63, uint64(len(output)) + 1}[rand.IntN(10)])
			yield()
		}
	}()
	runtime.LockOSThread()
	for {
		atomic.StoreUint64(&message.Length, n)
		yield()
		out(abi.PortHost)
	}
}
