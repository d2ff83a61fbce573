package cpu_test

import (
	"bytes"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/airlockvm/airlock/internal/cpu"
)

func TestTicksGoForward(t *testing.T) {
	before := cpu.Ticks()
	for range 1000 {
		cpu.Pause()
		now := cpu.Ticks()
		if now <= before {
			t.Fatalf("%d after %d", now, before)
		}
		before = now
	}
}

// TestPublish: who sees the word sees what was stored before it.
func TestPublish(t *testing.T) {
	const rounds = 100_000
	var data, word, seen uint32
	bad := make(chan uint32, 1)
	go func() {
		defer close(bad)
		for n := uint32(1); n <= rounds; n++ {
			for atomic.LoadUint32(&word) != n {
				runtime.Gosched()
			}
			if got := atomic.LoadUint32(&data); got != n {
				bad <- got
				return
			}
			cpu.Publish(&seen, n)
		}
	}()
	for n := uint32(1); n <= rounds; n++ {
		cpu.Publish(&data, n)
		cpu.Publish(&word, n)
		for atomic.LoadUint32(&seen) != n {
			select {
			case got := <-bad:
				t.Fatalf("round %d: %d", n, got)
			default:
				runtime.Gosched()
			}
		}
	}
}

// TestBarrier: of two that each store their word and then look at the other's, at
// least one sees the other's. Without the barrier this fails at once where there
// are two processors.
func TestBarrier(t *testing.T) {
	const rounds = 20_000
	var words [2][16]uint32 // on lines of their own
	var start, done [2]atomic.Uint32
	var got [2]uint32
	run := func(me int) {
		for n := uint32(1); n <= rounds; n++ {
			for start[me].Load() != n {
				runtime.Gosched()
			}
			cpu.Publish(&words[me][0], n)
			cpu.Barrier()
			got[me] = atomic.LoadUint32(&words[1-me][0])
			done[me].Store(n)
		}
	}
	go run(0)
	go run(1)
	for n := uint32(1); n <= rounds; n++ {
		start[0].Store(n)
		start[1].Store(n)
		for done[0].Load() != n || done[1].Load() != n {
			runtime.Gosched()
		}
		if got[0] != n && got[1] != n {
			t.Fatalf("round %d: neither has seen the other", n)
		}
	}
}

// TestFetch: Fetch and Claim change nothing, and take slices of any length.
func TestFetch(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789"), 1000)
	want := bytes.Clone(data)
	for _, b := range [][]byte{nil, {}, data[:1], data[63:65], data[1:129], data} {
		cpu.Fetch(b)
		cpu.Claim(b)
	}
	if !bytes.Equal(data, want) {
		t.Error(data)
	}
}

// TestIsASCII: each length, with each byte of it in turn the one that is none, and
// what lies before and behind it.
func TestIsASCII(t *testing.T) {
	const room = 16
	for n := range 100 {
		outside := bytes.Repeat([]byte{0x80}, room+n+room)
		b := outside[room : room+n]
		for i := range b {
			b[i] = 0x7f
		}
		check := func(want bool) {
			if cpu.IsASCII(b) != want || cpu.IsASCIIString(string(b)) != want {
				t.Errorf("%x: not %t", b, want)
			}
		}
		check(true)
		for i := range b {
			b[i] = 0x80
			check(false)
			b[i] = 0
			check(true)
		}
	}
}
