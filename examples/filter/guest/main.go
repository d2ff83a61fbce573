// The guest of the filter example: it reads an image that somebody has sent, and
// writes a smaller one. The decoders are where images of attackers do their work,
// so they run here.
package main

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	_ "image/jpeg" // for image.Decode
	"image/png"

	"github.com/airlockvm/airlock/guest"
)

func main() {
	guest.Export("Shrink", shrink)
	guest.Serve()
}

// shrink decodes a PNG or JPEG file, makes it fit into a square of size pixels,
// and returns it as a PNG file.
func shrink(file []byte, size int32) ([]byte, error) {
	if size < 1 {
		return nil, errors.New("a size must be at least 1")
	}
	from, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := png.Encode(&out, scale(from, int(size))); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// scale gives each new pixel the mean of the old ones that it covers.
func scale(from image.Image, size int) image.Image {
	b := from.Bounds()
	width, height := b.Dx(), b.Dy()
	if longer := max(width, height); longer > size {
		width, height = max(width*size/longer, 1), max(height*size/longer, 1)
	}
	to := image.NewRGBA64(image.Rect(0, 0, width, height))
	for y := range height {
		top, bottom := b.Min.Y+y*b.Dy()/height, b.Min.Y+(y+1)*b.Dy()/height
		for x := range width {
			left, right := b.Min.X+x*b.Dx()/width, b.Min.X+(x+1)*b.Dx()/width
			to.SetRGBA64(x, y, mean(from, image.Rect(left, top, right, bottom)))
		}
	}
	return to
}

func mean(from image.Image, area image.Rectangle) color.RGBA64 {
	var sum [4]uint64
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			r, g, b, a := from.At(x, y).RGBA()
			for i, v := range [4]uint32{r, g, b, a} {
				sum[i] += uint64(v)
			}
		}
	}
	n := uint64(area.Dx() * area.Dy())                       //nolint:gosec // G115: not negative
	part := func(i int) uint16 { return uint16(sum[i] / n) } //nolint:gosec // G115: a mean of 16-bit numbers
	return color.RGBA64{R: part(0), G: part(1), B: part(2), A: part(3)}
}
