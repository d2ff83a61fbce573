package main

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// guestFile is the guest, built once.
var guestFile = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "airlock-filter")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "filter.guest")
	build := exec.Command("go", "build", "-o", path, "./guest")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	if text, err := build.CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(text)))
	}
	return os.ReadFile(path)
})

func filterGuest(t *testing.T) *airlock.Guest {
	t.Helper()
	kvmtest.Require(t)
	file, err := guestFile()
	if err != nil {
		t.Fatal(err)
	}
	guest, err := airlock.NewGuest("filter", file)
	if err != nil {
		t.Fatal(err)
	}
	return guest
}

// halves is an image whose left half is red and whose right half is noise, so
// that its file is large.
func halves(width, height int) image.Image {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 2))
	for y := range height {
		for x := range width {
			c := color.RGBA{R: 0xff, A: 0xff}
			if x >= width/2 {
				n := random.Uint32()
				c = color.RGBA{R: byte(n), G: byte(n >> 8), B: byte(n >> 16), A: 0xff}
			}
			m.Set(x, y, c)
		}
	}
	return m
}

func TestFilter(t *testing.T) {
	t.Parallel()
	guest := filterGuest(t)
	var asPNG, asJPEG bytes.Buffer
	if err := errors.Join(png.Encode(&asPNG, halves(1600, 1200)), jpeg.Encode(&asJPEG, halves(400, 300), nil)); err != nil {
		t.Fatal(err)
	}
	if asPNG.Len() < 2<<20 {
		t.Fatalf("the file has %d bytes, too few to show anything", asPNG.Len())
	}
	for name, file := range map[string][]byte{"PNG": asPNG.Bytes(), "JPEG": asJPEG.Bytes()} {
		small, err := Shrink(t.Context(), guest, file, 100)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := png.Decode(bytes.NewReader(small))
		if err != nil || m.Bounds() != image.Rect(0, 0, 100, 75) {
			t.Errorf("%s: %v, %v", name, m.Bounds(), err)
			continue
		}
		if r, g, b, _ := m.At(10, 10).RGBA(); r < 0xf000 || g > 0x1000 || b > 0x1000 {
			t.Errorf("%s: a pixel that was red is %x %x %x", name, r, g, b)
		}
	}
}

func TestFilterCommand(t *testing.T) {
	t.Parallel()
	filterGuest(t)
	file, err := guestFile()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "filter.guest")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	var in, out bytes.Buffer
	if err := png.Encode(&in, halves(30, 20)); err != nil {
		t.Fatal(err)
	}
	if err := filter(path, "3", &in, &out); err != nil {
		t.Fatal(err)
	}
	if m, err := png.Decode(&out); err != nil || m.Bounds() != image.Rect(0, 0, 3, 2) {
		t.Errorf("%v, %v", m, err)
	}
	if err := filter(path, "3", io.LimitReader(zeros{}, maxFile+1), &out); !isGuestError(err) {
		t.Errorf("a file that is one byte too large, which still fits, and is no image: %v", err)
	}
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func isGuestError(err error) bool {
	_, ok := errors.AsType[*airlock.GuestError](err)
	return ok
}

// TestFilterHostile: images that are made to do harm are an error, or take until
// the deadline, and no more.
func TestFilterHostile(t *testing.T) {
	t.Parallel()
	guest := filterGuest(t)
	var good bytes.Buffer
	if err := png.Encode(&good, halves(64, 64)); err != nil {
		t.Fatal(err)
	}
	memory := func(err error) bool {
		// Go's runtime exits with code 2 when it is told that there is no memory.
		exit, ok := errors.AsType[*airlock.GuestExitError](err)
		return errors.Is(err, airlock.ErrOutOfMemory) || ok && exit.Code == 2
	}
	large := func(err error) bool { return errors.Is(err, airlock.ErrTooLarge) }
	for name, test := range map[string]struct {
		file []byte
		want func(error) bool
	}{
		"nothing":   {nil, isGuestError},
		"no image":  {[]byte("<svg/>"), isGuestError},
		"cut":       {good.Bytes()[:good.Len()/2], isGuestError},
		"too large": {make([]byte, maxFile+8<<10), large},
		"bomb":      {bomb(18000, 18000), memory},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			if small, err := Shrink(ctx, guest, test.file, 10); !test.want(err) {
				t.Errorf("%d bytes, %T %v", len(small), err, err)
			}
		})
	}
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := Shrink(ctx, guest, bomb(6000, 6000), 10); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an image that takes longer than its deadline: %v", err)
		}
	})
	// The next image is none the worse for them.
	if _, err := Shrink(t.Context(), guest, good.Bytes(), 10); err != nil {
		t.Error(err)
	}
}

// bomb is a PNG file of a few kilobytes that is so many black pixels, a byte
// each, when it is decoded.
func bomb(width, height uint32) []byte {
	var data bytes.Buffer
	z := zlib.NewWriter(&data)
	row := make([]byte, 1+(width+7)/8)
	for range height {
		_, _ = z.Write(row) // a bytes.Buffer takes all
	}
	_ = z.Close()
	header := binary.BigEndian.AppendUint32(nil, width)
	header = binary.BigEndian.AppendUint32(header, height)
	header = append(header, 1, 0, 0, 0, 0) // one bit of grey
	file := []byte("\x89PNG\r\n\x1a\n")
	for _, chunk := range []struct {
		name string
		data []byte
	}{{"IHDR", header}, {"IDAT", data.Bytes()}, {"IEND", nil}} {
		file = binary.BigEndian.AppendUint32(file, uint32(len(chunk.data)))
		start := len(file)
		file = append(append(file, chunk.name...), chunk.data...)
		file = binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(file[start:]))
	}
	return file
}
