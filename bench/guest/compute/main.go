// Command compute does one kind of work again and again and prints how long
// each time took.
//
//	compute WORK TIMES
//
// It prints one line for each time: its nanoseconds, as its own monotonic clock
// has them. The first time includes the first touch of all memory. A checksum
// goes to stderr, so that nothing is optimised away and the results of two runs
// can be compared.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

func main() {
	works := map[string]func() func() uint32{
		"sha256": sha, "sort": sorting, "json": jsonRoundTrip, "regexp": matching, "matrix": matrix,
	}
	if len(os.Args) != 3 || works[os.Args[1]] == nil {
		fail("usage: compute sha256|sort|json|regexp|matrix TIMES")
	}
	times, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	work := works[os.Args[1]]()
	taken := make([]time.Duration, times)
	var sum uint32
	for i := range taken {
		start := time.Now()
		sum += work()
		taken[i] = time.Since(start)
	}
	for _, d := range taken {
		_, _ = fmt.Fprintln(os.Stdout, d.Nanoseconds()) // nobody to tell
	}
	_, _ = fmt.Fprintln(os.Stderr, "checksum", sum)
}

func fail(why any) {
	_, _ = fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}

// random is a small generator, the same everywhere.
type random uint64

func (r *random) next() uint64 {
	*r ^= *r << 13
	*r ^= *r >> 7
	*r ^= *r << 17
	return uint64(*r)
}

// sha hashes 16 MiB, a chunk at a time.
func sha() func() uint32 {
	chunk := make([]byte, 256<<10)
	r := random(1)
	for i := 0; i < len(chunk); i += 8 {
		binary.LittleEndian.PutUint64(chunk[i:], r.next())
	}
	return func() uint32 {
		h := sha256.New()
		for done := 0; done < 16<<20; done += len(chunk) {
			_, _ = h.Write(chunk) // a hash takes everything
		}
		return binary.LittleEndian.Uint32(h.Sum(nil))
	}
}

// sorting sorts half a million numbers.
func sorting() func() uint32 {
	const count = 500_000
	from, list := make([]int, count), make([]int, count)
	r := random(2)
	for i := range from {
		from[i] = int(r.next() >> 1)
	}
	return func() uint32 {
		copy(list, from)
		slices.Sort(list)
		return uint32(list[count/2]) //nolint:gosec // G115: a checksum
	}
}

type order struct {
	ID       int               `json:"id"`
	Customer string            `json:"customer"`
	Paid     bool              `json:"paid"`
	Total    float64           `json:"total"`
	Lines    []orderLine       `json:"lines"`
	Labels   map[string]string `json:"labels"`
}

type orderLine struct {
	Article string  `json:"article"`
	Count   int     `json:"count"`
	Price   float64 `json:"price"`
}

// jsonRoundTrip encodes and decodes a list of records.
func jsonRoundTrip() func() uint32 {
	r := random(3)
	orders := make([]order, 2000)
	for i := range orders {
		o := order{
			ID: i, Customer: fmt.Sprintf("customer %x", r.next()), Paid: i%2 == 0, Total: float64(i) * 1.25,
			Labels: map[string]string{"colour": "blue", "size": strconv.Itoa(i), "note": "as \"usual\""},
		}
		for j := range 4 {
			o.Lines = append(o.Lines, orderLine{fmt.Sprintf("article-%d", r.next()%1000), j, 9.99})
		}
		orders[i] = o
	}
	return func() uint32 {
		text, err := json.Marshal(orders)
		if err != nil {
			fail(err)
		}
		var back []order
		if err := json.Unmarshal(text, &back); err != nil {
			fail(err)
		}
		return crc32.ChecksumIEEE(text) + uint32(len(back)) //nolint:gosec // G115: a checksum
	}
}

// matching finds addresses, dates and numbers in a text.
func matching() func() uint32 {
	var text []byte
	r := random(4)
	for range 3000 {
		n := r.next()
		text = fmt.Appendf(text, "on 2024-%02d-%02d user%d@example%d.com paid %d.%02d for %x\n",
			n%12+1, n%28+1, n%1000, n%7, n%500, n%100, n)
	}
	patterns := []*regexp.Regexp{
		regexp.MustCompile(`[a-z0-9]+@[a-z0-9]+\.(com|org|net)`),
		regexp.MustCompile(`(\d{4})-(\d{2})-(\d{2})`),
		regexp.MustCompile(`\b\d+\.\d{2}\b`),
	}
	return func() uint32 {
		var found uint32
		for _, p := range patterns {
			for _, m := range p.FindAllIndex(text, -1) {
				found += uint32(m[0]) //nolint:gosec // G115: a checksum
			}
		}
		return found
	}
}

// matrix multiplies two matrices of float64.
func matrix() func() uint32 {
	const n = 320
	var a, b, c [n][n]float64
	for i := range n {
		for j := range n {
			a[i][j], b[i][j] = float64(i+j), float64(i-j)
		}
	}
	return func() uint32 {
		for i := range n {
			clear(c[i][:])
			for k := range n {
				factor, row := a[i][k], &b[k]
				for j := range n {
					c[i][j] += factor * row[j]
				}
			}
		}
		return uint32(int64(c[n/2][n/3])) //nolint:gosec // G115: a checksum
	}
}
