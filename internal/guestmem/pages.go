package guestmem

import (
	"bytes"
	"math/bits"
)

// Sets of pages are bitmaps: bit n%64 of word n/64 is for the page at GPA
// n*PageSize. They are as KVM's dirty logs are.

// wordPages is how many pages a word of a bitmap stands for.
const wordPages = 64

// Words is the number of words in a bitmap for a buffer of so many bytes.
func Words(size uint64) uint64 { return (size/PageSize + wordPages - 1) / wordPages }

// lowest is the GPA of the first page that a word of a bitmap names.
func lowest(index int, word uint64) uint64 {
	return (uint64(index)*wordPages + uint64(bits.TrailingZeros64(word))) * PageSize //nolint:gosec // G115: neither is negative
}

// TrackWrites makes CopyIn note the pages that it writes to, for Written.
func (m *Memory) TrackWrites() {
	if m.written == nil {
		m.written = make([]uint64, Words(m.Size()))
	}
}

func (m *Memory) noteWrite(gpa, size uint64) {
	for page := gpa / PageSize; page <= (gpa+size-1)/PageSize; page++ {
		word := &m.written[page/wordPages]
		if *word == 0 {
			m.writtenWords = append(m.writtenWords, page/wordPages)
		}
		*word |= 1 << (page % wordPages)
	}
}

// Written adds the pages that CopyIn has written to since it was asked last.
func (m *Memory) Written(pages []uint64) {
	for _, i := range m.writtenWords {
		pages[i] |= m.written[i]
		m.written[i] = 0
	}
	m.writtenWords = m.writtenWords[:0]
}

// Revert gives pages the content back that they had when the buffer was made,
// or remapped. The host's own copies of them stay, so that the next write to them
// costs no fault. Only the words of the bitmap that are named count.
func (m *Memory) Revert(pages []uint64, words []int) {
	for _, i := range words {
		for w := pages[i]; w != 0; w &= w - 1 {
			gpa := lowest(i, w)
			if gpa >= m.Size() {
				break // the bitmap is rounded up
			}
			m.revertPage(gpa)
		}
	}
}

func (m *Memory) revertPage(gpa uint64) {
	b := m.buf[gpa : gpa+PageSize : gpa+PageSize]
	if m.content != nil {
		if page := m.content.Page(gpa); page != nil {
			copy(b, page)
			return
		}
	}
	clear(b)
}

// Drop is Revert by giving the host's copies of the pages back: for pages that
// will not be written to soon. Ranges of pages in between that are in no set are
// left alone.
func (m *Memory) Drop(pages []uint64) error {
	return forRuns(pages, m.Size(), func(gpa, size uint64) error { return discard(m.buf[gpa : gpa+size]) })
}

// PrefaultPages makes the pages present and private, a run at a time.
func (m *Memory) PrefaultPages(pages []uint64) error {
	return forRuns(pages, m.Size(), func(gpa, size uint64) error { return populate(m.buf[gpa : gpa+size]) })
}

// forRuns calls do for each run of consecutive pages of a set.
func forRuns(pages []uint64, limit uint64, do func(gpa, size uint64) error) error {
	start, end := uint64(0), uint64(0)
	for i, w := range pages {
		for ; w != 0; w &= w - 1 {
			gpa := lowest(i, w)
			if gpa >= limit {
				break
			}
			if gpa != end {
				if end > start {
					if err := do(start, end-start); err != nil {
						return err
					}
				}
				start = gpa
			}
			end = gpa + PageSize
		}
	}
	if end == start {
		return nil
	}
	return do(start, end-start)
}

// MaxRuns is the most runs of a file that Capture makes. Each costs every buffer of the
// file two mappings, of which Linux gives a process 65530 by default; when there are no
// more, Go's runtime can't get memory and ends the process. Ordinary programs have
// about twelve.
const MaxRuns = 64

// leastGap is how many pages of zeros are stored at least rather than to begin a new run.
const leastGap = 32

var zeroPage [PageSize]byte

// Capture makes a file of what the buffer holds now. Pages that are zero are not
// in it, unless there are pages close before and behind them that aren't. Nobody may
// write to the buffer meanwhile.
//
// Guest-controlled: the content.
func (m *Memory) Capture(name string) (*File, error) {
	pages, err := m.used()
	if err != nil {
		return nil, err
	}
	for i, w := range pages {
		for ; w != 0; w &= w - 1 {
			gpa := lowest(i, w)
			if gpa >= m.Size() || bytes.Equal(m.buf[gpa:gpa+PageSize], zeroPage[:]) {
				pages[i] &^= w & -w
			}
		}
	}
	runs := runsOf(pages)
	var pieces []Piece
	size, next := uint64(0), 0
	for i, w := range pages {
		for ; w != 0; w &= w - 1 {
			gpa := lowest(i, w)
			for next == 0 || gpa >= runs[next-1].GPA+runs[next-1].Size {
				next++
			}
			run := runs[next-1]
			pieces = append(pieces, Piece{Offset: run.Offset + gpa - run.GPA, Data: m.buf[gpa : gpa+PageSize : gpa+PageSize]})
			size = run.Offset + run.Size
		}
	}
	return newFile(name, size, pieces, runs)
}

// runsOf returns runs in which all pages of the set are, one behind the other in a
// file: at most MaxRuns, with gaps as small as that allows.
//
// Guest-controlled: which pages there are.
func runsOf(pages []uint64) []Run {
	for gap := uint64(leastGap); ; gap *= 2 {
		if runs := runsWithin(pages, gap*PageSize); len(runs) <= MaxRuns {
			return runs
		}
	}
}

// runsWithin is runsOf for the gap up to which two pages are in one run.
func runsWithin(pages []uint64, gap uint64) (runs []Run) {
	size := uint64(0)
	for i, w := range pages {
		for ; w != 0; w &= w - 1 {
			gpa := lowest(i, w)
			if n := len(runs); n == 0 || gpa > runs[n-1].GPA+runs[n-1].Size+gap {
				runs = append(runs, Run{GPA: gpa, Offset: size})
			}
			last := &runs[len(runs)-1]
			last.Size = gpa + PageSize - last.GPA
			size = last.Offset + last.Size
		}
	}
	return runs
}

// used returns a set of pages that no page that isn't zero is missing in.
func (m *Memory) used() ([]uint64, error) {
	set := make([]uint64, Words(m.Size()))
	if err := present(m.buf, set); err != nil {
		// Without the kernel's help, look at all of them.
		for i := range set {
			set[i] = ^uint64(0)
		}
		return set, nil
	}
	if m.content != nil {
		for _, r := range m.content.runs {
			for page := r.GPA / PageSize; page < (r.GPA+r.Size)/PageSize; page++ {
				set[page/wordPages] |= 1 << (page % wordPages)
			}
		}
	}
	return set, nil
}
