// os.Pipe works between goroutines through the poller: blocking, big transfers, deadlines, EOF, EPIPE.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func transfer(size int) {
	r, w, err := os.Pipe()
	check.OK(err)
	sent := make([]byte, size)
	for i := range sent {
		sent[i] = byte(i ^ i>>8)
	}
	go func() {
		n, err := w.Write(sent)
		check.OK(err)
		check.Equal(n, size)
		check.OK(w.Close())
	}()
	got, err := io.ReadAll(r)
	check.OK(err)
	check.That(bytes.Equal(got, sent), "%d bytes were sent, %d came", size, len(got))
	check.OK(r.Close())
}

func deadlines() {
	r, w, err := os.Pipe()
	check.OK(err)
	var buf [16]byte
	start := time.Now()
	check.OK(r.SetReadDeadline(start.Add(20 * time.Millisecond)))
	_, err = r.Read(buf[:])
	check.That(errors.Is(err, os.ErrDeadlineExceeded), "Read: %v", err)
	check.That(time.Since(start) >= 20*time.Millisecond, "the deadline came early")

	check.OK(w.SetWriteDeadline(time.Now().Add(10 * time.Millisecond)))
	n, err := w.Write(make([]byte, 4<<20))
	check.That(errors.Is(err, os.ErrDeadlineExceeded) && n >= 4096, "Write: %d, %v", n, err)

	check.OK(r.SetReadDeadline(time.Time{}))
	check.OK(w.Close())
	rest, err := io.Copy(io.Discard, r)
	check.OK(err)
	check.Equal(rest, int64(n))

	// Close wakes a reader.
	r2, w2, err := os.Pipe()
	check.OK(err)
	var wg sync.WaitGroup
	wg.Go(func() {
		var buf [16]byte
		_, err := r2.Read(buf[:])
		check.That(errors.Is(err, os.ErrClosed), "Read of a closed pipe: %v", err)
	})
	time.Sleep(5 * time.Millisecond)
	check.OK(r2.Close())
	wg.Wait()

	signal.Ignore(syscall.SIGPIPE)
	_, err = w2.Write(buf[:])
	check.That(errors.Is(err, syscall.EPIPE), "Write without a reader: %v", err)
}

func main() {
	for _, size := range []int{0, 1, 4096, 65536, 65537, 1 << 20} {
		transfer(size)
	}
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() { transfer(10_000 * i) })
	}
	wg.Wait()
	deadlines()
	check.Success()
}
