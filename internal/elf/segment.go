package elf

import (
	"cmp"
	"slices"
)

// load is a segment on its way into the image, with the program header that it
// comes from, which error messages name.
type load struct {
	prog *progHeader
	seg  Segment
}

// loadBias returns what to add to the addresses in the file.
//
// A static PIE may ask for an alignment greater than a page, and its relocated
// code may count on it, so the base is rounded up to the greatest one.
func loadBias(kind Kind, progs []progHeader, lim *Limits) (uint64, error) {
	if kind != KindPIE {
		return 0, nil
	}
	bias := lim.PIEBase
	for i := range progs {
		p := &progs[i]
		if p.typ != progLoad || p.memsz == 0 || p.align <= 1 {
			continue
		}
		if !isPowerOfTwo(p.align) {
			return 0, p.badAlignment()
		}
		// PIEBase is below UserEnd, so with the alignment capped as well, rounding
		// can't wrap.
		if p.align >= lim.UserEnd {
			return 0, p.refuse(ErrAlignment, "alignment %#x (p_align) is not below the end of "+
				"the user addresses, %#x; link with -z max-page-size=4096", p.align, lim.UserEnd)
		}
		bias = alignUp(bias, p.align)
	}
	return bias, nil
}

// planLoads checks every PT_LOAD header for itself and returns the segments to
// load, in the order of the headers.
func planLoads(file []byte, progs []progHeader, bias uint64, lim *Limits) ([]load, error) {
	loads := make([]load, 0, len(progs))
	for i := range progs {
		p := &progs[i]
		if p.typ != progLoad {
			continue
		}
		if p.filesz > p.memsz {
			return nil, p.refuse(ErrFileSize, "%#x bytes in the file (p_filesz) do not fit in %#x bytes "+
				"of memory (p_memsz); the file is damaged: build it again", p.filesz, p.memsz)
		}
		if p.memsz == 0 {
			continue
		}
		seg, err := p.segment(file, bias, lim)
		if err != nil {
			return nil, err
		}
		loads = append(loads, load{prog: p, seg: seg})
	}
	if len(loads) == 0 {
		return nil, refuse(ErrNoSegments, "no program header asks to load memory "+
			"(a PT_LOAD with p_memsz above 0); link it into a program: gcc -static")
	}
	return loads, nil
}

// segment checks one PT_LOAD header and returns what it asks for.
func (p *progHeader) segment(file []byte, bias uint64, lim *Limits) (Segment, error) {
	if p.flags&flagWrite != 0 && p.flags&flagExec != 0 {
		return Segment{}, p.refuse(ErrWriteExec, "both writable and executable (p_flags %#x); "+
			"keep code and data apart: link without -N (--omagic) and without a linker script that merges them",
			p.flags)
	}
	if err := p.checkAlignment(); err != nil {
		return Segment{}, err
	}
	if err := p.checkAddress(bias, lim); err != nil {
		return Segment{}, err
	}
	seg := Segment{Addr: p.vaddr + bias, MemSize: p.memsz, Perm: p.perm()}
	// Linkers write any offset for a segment that is all zeroes, even one past the
	// end of the file, so an offset from which nothing is read is not looked at.
	if p.filesz == 0 {
		return seg, nil
	}
	data, ok := span(file, p.off, p.filesz)
	if !ok {
		return Segment{}, p.refuse(ErrFileRange, "%#x bytes (p_filesz) at offset %#x (p_offset) lie outside "+
			"the file of %#x bytes; copy or build it again", p.filesz, p.off, len(file))
	}
	seg.Data = data
	return seg, nil
}

// checkAlignment checks that the segment could be mapped from the file page by
// page. The loader copies, so it does not need this; a program that Linux would
// refuse is refused here as well.
func (p *progHeader) checkAlignment() error {
	// Zero and one both mean that there is no constraint.
	if p.align != 0 && !isPowerOfTwo(p.align) {
		return p.badAlignment()
	}
	if p.filesz != 0 && p.vaddr%PageSize != p.off%PageSize {
		return p.refuse(ErrAlignment, "address %#x (p_vaddr) and offset %#x (p_offset) differ "+
			"modulo the page size %#x; link without -n (--nmagic) and without -N (--omagic)",
			p.vaddr, p.off, PageSize)
	}
	return nil
}

func (p *progHeader) badAlignment() error {
	return p.refuse(ErrAlignment, "alignment %#x (p_align) is not a power of two; "+
		"the file is damaged: build it again", p.align)
}

// checkAddress checks that all pages of the segment lie between the limits.
func (p *progHeader) checkAddress(bias uint64, lim *Limits) error {
	start := p.vaddr + bias
	end := start + p.memsz
	if start < p.vaddr || end < start {
		return p.refuse(ErrAddressOverflow, "address %#x (p_vaddr) plus load bias %#x plus %#x bytes (p_memsz) "+
			"exceeds 64 bits; the file is damaged: build it again", p.vaddr, bias, p.memsz)
	}
	// An end below UserEnd is so far below 1<<64 that rounding it up can't wrap.
	if pageFloor(start) < lim.UserStart || end > lim.UserEnd || alignUp(end, PageSize) > lim.UserEnd {
		return p.refuse(ErrAddressRange, "addresses %#x-%#x lie outside those of a program, %#x-%#x; "+
			"link at the default address: without -Ttext or -Wl,--image-base",
			start, end, lim.UserStart, lim.UserEnd)
	}
	return nil
}

// perm translates the flags of the header.
func (p *progHeader) perm() Perm {
	var perm Perm
	if p.flags&flagRead != 0 {
		perm |= PermRead
	}
	if p.flags&flagWrite != 0 {
		perm |= PermWrite
	}
	if p.flags&flagExec != 0 {
		perm |= PermExec
	}
	return perm
}

// checkLayout sorts the segments by address and checks that no two overlap.
func checkLayout(loads []load) error {
	slices.SortFunc(loads, func(a, b load) int {
		return cmp.Or(cmp.Compare(a.seg.Addr, b.seg.Addr), cmp.Compare(a.prog.index, b.prog.index))
	})
	// Neighbours suffice: while no two overlap, the ends rise with the starts.
	for i := 1; i < len(loads); i++ {
		if err := checkDisjoint(&loads[i-1], &loads[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkDisjoint refuses two segments that share a byte, or a page: its
// permissions would have to be those of both. a must not start after b.
func checkDisjoint(a, b *load) error {
	if a.seg.PageEnd() <= b.seg.PageStart() {
		return nil
	}
	what := "shares a page with"
	if a.seg.End() > b.seg.Addr {
		what = "overlaps"
	}
	return b.prog.refuse(ErrOverlap, "%#x-%#x %s segment %d, %#x-%#x; "+
		"link without -n, -N or a linker script that packs segments",
		b.seg.Addr, b.seg.End(), what, a.prog.index, a.seg.Addr, a.seg.End())
}

// phdrAddr finds the segment whose file bytes hold the whole program header
// table and returns the table's address in it, or zero. PT_PHDR is not used: it
// is one more statement to distrust, and Linux goes by the offset too.
func phdrAddr(loads []load, hdr *header) uint64 {
	size := uint64(hdr.phnum) * progHeaderSize
	for i := range loads {
		p := loads[i].prog
		if hdr.phoff < p.off {
			continue
		}
		if delta := hdr.phoff - p.off; delta <= p.filesz && size <= p.filesz-delta {
			return loads[i].seg.Addr + delta
		}
	}
	return 0
}

func isPowerOfTwo(v uint64) bool { return v != 0 && v&(v-1) == 0 }
