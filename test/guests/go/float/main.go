// Floating point: math functions, formatting, fused multiply-add, big.Float, complex numbers, bits.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"math/cmplx"
	"strconv"
	"sync"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

// leibniz approximates pi; its result must not depend on thread switches.
func leibniz(terms int) float64 {
	sum, sign := 0.0, 1.0
	for i := range terms {
		sum += sign / float64(2*i+1)
		sign = -sign
	}
	return 4 * sum
}

func main() {
	check.Equal(fmt.Sprintf("%.15f", math.Sqrt(2)), "1.414213562373095")
	check.Equal(fmt.Sprintf("%.12f %.12f", math.Sin(1), math.Exp(1)), "0.841470984808 2.718281828459")
	check.Equal(fmt.Sprintf("%.10f", math.Gamma(5.5)), "52.3427777846")
	check.Equal(math.FMA(0.1, 10, -1), 5.551115123125783e-17)
	check.Equal(fmt.Sprintf("%g %e %x", 0.1, 123456.789, 1.0), "0.1 1.234568e+05 0x1p+00")
	check.Equal(strconv.FormatFloat(5e-324, 'g', -1, 64), "5e-324")
	check.Equal(math.Trunc(-1.5)+math.Floor(-1.5)+math.Ceil(-1.5)+math.RoundToEven(2.5), -2)
	check.Equal(int64(math.Float64frombits(0x43dfffffffffffff)), 9223372036854774784)
	check.That(math.IsNaN(math.Inf(1)-math.Inf(1)), "inf-inf is a number")
	f, err := strconv.ParseFloat("179769313486231570814527423731704356798070e267", 64)
	check.OK(err)
	check.Equal(f, math.MaxFloat64)

	two := big.NewFloat(2).SetPrec(200)
	check.Equal(new(big.Float).Sqrt(two).Text('f', 50), "1.41421356237309504880168872420969807856967187537695")
	fact := new(big.Int).MulRange(1, 50)
	check.Equal(fact.String(), "30414093201713378043612608166064768844377641568960512000000000000")
	check.Equal(new(big.Int).Exp(big.NewInt(3), big.NewInt(1000), big.NewInt(1_000_000_007)).Int64(), 56888193)

	check.That(cmplx.Abs(cmplx.Exp(complex(0, math.Pi))+1) < 1e-15, "e^(i pi) is not -1")
	check.Equal(complex(1, 2)*complex(3, -1), complex(5, 5))
	hi, lo := bits.Mul64(math.MaxUint64, 3)
	check.Equal(hi, 2)
	check.Equal(lo, math.MaxUint64-2)
	check.Equal(bits.OnesCount64(0xf0f0)+bits.LeadingZeros32(1)+bits.TrailingZeros16(8), 8+31+3)

	want := leibniz(200_000)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 5 {
				check.Equal(leibniz(200_000), want)
			}
		})
	}
	wg.Wait()
	check.That(math.Abs(want-math.Pi) < 1e-5, "pi is %v", want)
	check.Success()
}
