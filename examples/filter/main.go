// Command filter makes images smaller without decoding them itself: that is done
// by a guest, for a file that comes from a stranger may be made to break the
// decoder, to need all memory, or to keep it busy for ever.
//
//	CGO_ENABLED=0 go build -o filter.guest ./examples/filter/guest
//	go run ./examples/filter filter.guest 200 <photo.jpg >thumbnail.png
//
// It shows how to pass megabytes: a message must fit its buffer whole, so
// MessageSize is as large as the largest file, and Memory has room for what the
// guest makes of it. A deadline bounds the time.
//
// Each image gets a sandbox of its own. To make one takes milliseconds, and it
// means that an image which does take over the decoder gets to see no other.
// What comes back is still the guest's word: bytes that may not be an image at
// all. The browser that shows them is as careful as with the original.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/airlockvm/airlock"
)

const (
	maxFile  = 16 << 20         // of an image file, and of the result
	memory   = 256 << 20        // an image of 20 megapixels takes 80 MiB when it is decoded
	deadline = 20 * time.Second // for one image
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: filter GUEST SIZE <IMAGE >PNG")
		os.Exit(2)
	}
	if err := filter(os.Args[1], os.Args[2], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func filter(path, size string, in io.Reader, out io.Writer) error {
	pixels, err := strconv.ParseInt(size, 10, 32)
	if err != nil {
		return fmt.Errorf("the size: %w", err)
	}
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		return err
	}
	// One byte more than is allowed shows that there is more.
	file, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	small, err := Shrink(ctx, guest, file, int32(pixels)) //nolint:gosec // G115: parsed as 32 bits
	if err != nil {
		return err
	}
	_, err = out.Write(small)
	return err
}

// Shrink makes an image fit into a square of size pixels. The file is PNG or
// JPEG, the result PNG. It may be called from many goroutines at a time, with the
// same guest.
func Shrink(ctx context.Context, guest *airlock.Guest, file []byte, size int32) (small []byte, err error) {
	sb, err := airlock.New(ctx, guest, airlock.Options{
		Memory: memory,
		// The message is the file and a little more: names, types and lengths.
		MessageSize: maxFile + 4<<10,
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, sb.Close()) }()
	return airlock.Call[[]byte](ctx, sb, "Shrink", file, size)
}
