// Prints 32 hex digits of crypto/rand, after a check that draws differ and bits are balanced.
// want: exit 0
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	var a, b [64 << 10]byte
	for _, buf := range [][]byte{a[:], b[:]} {
		n, err := rand.Read(buf)
		check.OK(err)
		check.Equal(n, len(buf))
	}
	check.That(!bytes.Equal(a[:], b[:]), "two draws are equal")
	ones := 0
	for _, x := range a {
		ones += bits.OnesCount8(x)
	}
	half := len(a) * 8 / 2
	check.That(ones > half-5000 && ones < half+5000, "%d of %d bits are set", ones, 2*half)
	fmt.Println(hex.EncodeToString(b[:16]))
}
