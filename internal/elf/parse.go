package elf

// Parse checks a guest program and returns the plan for loading it. What it
// refuses, it refuses with a *FormatError. Limits that make no sense are refused
// with ErrLimits.
//
// The Image keeps slices of file, so file must not change afterwards. In
// particular it must be a private copy of the guest's bytes, not memory that
// somebody else can write, such as a mapping of the file.
func Parse(file []byte, lim Limits) (*Image, error) {
	lim, err := lim.withDefaults()
	if err != nil {
		return nil, err
	}
	hdr, err := readHeader(file, lim.MaxFile)
	if err != nil {
		return nil, err
	}
	progs, err := readProgHeaders(file, &hdr, lim.MaxSegments)
	if err != nil {
		return nil, err
	}
	if err := refuseDynamic(file, hdr.kind, progs); err != nil {
		return nil, err
	}
	im := &Image{
		Kind:      hdr.kind,
		PhdrCount: len(progs),
		PhdrSize:  progHeaderSize,
		file:      file,
		hdr:       hdr,
		notes:     noteSegments(file, progs),
	}
	if err := im.plan(progs, &lim); err != nil {
		return nil, err
	}
	return im, nil
}

// plan fills in everything about the image that depends on its addresses.
func (im *Image) plan(progs []progHeader, lim *Limits) error {
	bias, err := loadBias(im.Kind, progs, lim)
	if err != nil {
		return err
	}
	loads, err := planLoads(im.file, progs, bias, lim)
	if err != nil {
		return err
	}
	if err := checkLayout(loads); err != nil {
		return err
	}
	im.Bias = bias
	im.Segments = make([]Segment, len(loads))
	for i := range loads {
		im.Segments[i] = loads[i].seg
	}
	if need := im.Memory(); need > lim.MaxMemory {
		return refuse(ErrMemory, "the program needs %d bytes (%#x) of memory for its segments and the limit is %d; "+
			"give the sandbox more memory, or shrink the program's static data", need, need, lim.MaxMemory)
	}
	im.PhdrAddr = phdrAddr(loads, &im.hdr)
	im.ExecStack = wantsExecStack(progs)
	return im.setEntry()
}

// setEntry checks the entry point and adds the bias to it.
func (im *Image) setEntry() error {
	entry := im.hdr.entry + im.Bias
	if entry < im.Bias || im.execSegment(entry) == nil {
		return refuse(ErrEntry, "entry point %#x (header field e_entry) is not in an executable segment; "+
			"link a whole program with a start symbol, not a library or a data file", im.hdr.entry)
	}
	im.Entry = entry
	return nil
}

// span returns size bytes of file from offset off, or false if they are not all
// there. It is the only way in which this package turns offsets from the file
// into slices. The capacity is cut too, so that nothing can grow past the end.
//
// Guest-controlled: off and size may be any value.
func span(file []byte, off, size uint64) ([]byte, bool) {
	n := uint64(len(file))
	if off > n || size > n-off {
		return nil, false
	}
	return file[off : off+size : off+size], true
}

// clip is span for tables that are only looked into: it returns the part of the
// range that is in the file, at most limit bytes of it.
//
// Guest-controlled: off and size may be any value.
func clip(file []byte, off, size, limit uint64) []byte {
	n := uint64(len(file))
	if off > n {
		return nil
	}
	data, _ := span(file, off, min(size, limit, n-off))
	return data
}
