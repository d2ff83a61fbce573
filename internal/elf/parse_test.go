package elf

import (
	"errors"
	"math/rand/v2"
	"testing"
)

// mustParse parses a file that has to be accepted.
func mustParse(tb testing.TB, file []byte, lim Limits) *Image {
	tb.Helper()
	im, err := Parse(file, lim)
	if err != nil {
		tb.Fatalf("Parse: %v", err)
	}
	checkInvariants(tb, file, lim, im)
	return im
}

func TestParseExec(t *testing.T) {
	b := newBuilder()
	file := b.bytes(t)
	im := mustParse(t, file, testLimits())
	if im.Kind != KindExec || im.Bias != 0 || im.Entry != textAddr+0x10 || im.ExecStack {
		t.Errorf("kind %v, bias %#x, entry %#x, exec stack %v", im.Kind, im.Bias, im.Entry, im.ExecStack)
	}
	if im.PhdrAddr != headAddr+progsOff || im.PhdrCount != 4 || im.PhdrSize != 56 {
		t.Errorf("program headers: %d of %d bytes at %#x", im.PhdrCount, im.PhdrSize, im.PhdrAddr)
	}
	if im.Memory() != 4*PageSize {
		t.Errorf("Memory = %#x", im.Memory())
	}
	want := []struct {
		addr, size, start, end uint64
		data                   int
		perm                   string
	}{
		{headAddr, textOff, 0x400000, 0x401000, textOff, "r--"},
		{textAddr, textSize, 0x401000, 0x402000, textSize, "r-x"},
		{dataAddr, dataSize + bssSize, 0x402000, 0x404000, dataSize, "rw-"},
	}
	if len(im.Segments) != len(want) {
		t.Fatalf("%d segments, want %d", len(im.Segments), len(want))
	}
	for i, w := range want {
		s := &im.Segments[i]
		if s.Addr != w.addr || s.MemSize != w.size || len(s.Data) != w.data || s.Perm.String() != w.perm ||
			s.PageStart() != w.start || s.PageEnd() != w.end {
			t.Errorf("segment %d: %#x+%#x, %#x bytes, %v, pages %#x-%#x, want %+v",
				i, s.Addr, s.MemSize, len(s.Data), s.Perm, s.PageStart(), s.PageEnd(), w)
		}
	}
}

func TestParsePIE(t *testing.T) {
	for _, tt := range []struct {
		base, align, want uint64
	}{
		{0, PageSize, DefaultPIEBase},
		{0x555555554000, PageSize, 0x555555554000},
		{0x555555554000, 1, 0x555555554000},
		{0x555555554000, 2 << 20, 0x555555600000},
	} {
		b := newBuilder()
		b.makePIE()
		b.progs[progData].Align = tt.align
		lim := testLimits()
		lim.PIEBase = tt.base
		im := mustParse(t, b.bytes(t), lim)
		if im.Kind != KindPIE || im.Bias != tt.want {
			t.Errorf("base %#x, alignment %#x: kind %v, bias %#x, want %#x", tt.base, tt.align, im.Kind, im.Bias, tt.want)
		}
		if want := tt.want + textAddr - headAddr + 0x10; im.Entry != want {
			t.Errorf("entry %#x, want %#x", im.Entry, want)
		}
		if im.PhdrAddr != tt.want+progsOff {
			t.Errorf("program headers at %#x, want %#x", im.PhdrAddr, tt.want+progsOff)
		}
	}
}

// TestParseTruncated cuts a sound file at every length. Up to the end of the
// data it must be refused, and behind it nothing matters.
func TestParseTruncated(t *testing.T) {
	file := symbolFile(t)
	for n := range file {
		im, err := Parse(file[:n:n], testLimits())
		if (err == nil) != (n >= dataOff+dataSize) {
			t.Fatalf("cut at %#x: error %v", n, err)
		}
		if err == nil {
			checkInvariants(t, file[:n], testLimits(), im)
			exercise(t, im)
		}
	}
}

// TestParseDamaged changes every byte of the headers, and then many random bytes
// anywhere.
func TestParseDamaged(t *testing.T) {
	file := symbolFile(t)
	try := func(damaged []byte) {
		im, err := Parse(damaged, testLimits())
		var fe *FormatError
		switch {
		case err == nil:
			checkInvariants(t, damaged, testLimits(), im)
			exercise(t, im)
		case im != nil || !errors.As(err, &fe):
			t.Fatalf("Parse = %v, %v", im, err)
		}
	}
	damaged := make([]byte, len(file))
	for off := range dataOff {
		for _, v := range []byte{0, 1, 0x7f, 0x80, 0xff} {
			copy(damaged, file)
			damaged[off] = v
			try(damaged)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		copy(damaged, file)
		for range 1 + rng.IntN(4) {
			damaged[rng.IntN(len(damaged))] = byte(rng.Uint32())
		}
		try(damaged)
	}
}

// exercise calls everything that reads the guest's tables after Parse.
func exercise(tb testing.TB, im *Image) {
	tb.Helper()
	for i := range im.Segments {
		s := &im.Segments[i]
		for _, addr := range []uint64{s.Addr - 1, s.Addr, s.Addr + s.MemSize/2, s.End() - 1, s.End()} {
			checkSymbol(tb, im, addr)
		}
	}
	for _, addr := range []uint64{0, im.Entry, ^uint64(0)} {
		checkSymbol(tb, im, addr)
	}
	for _, key := range []struct {
		owner string
		typ   uint32
	}{{"", 0}, {"GNU", 3}, {"Go", 4}, {"x", ^uint32(0)}} {
		if desc, ok := im.Note(key.owner, key.typ); ok && len(desc) > maxNotes {
			tb.Errorf("note of %d bytes", len(desc))
		}
	}
}

func TestSpan(t *testing.T) {
	file := []byte("0123456789")
	const most = ^uint64(0)
	for _, tt := range []struct {
		off, size uint64
		span      string
		spanOK    bool
		clip      string
	}{
		{0, 10, "0123456789", true, "012345"},
		{3, 2, "34", true, "34"},
		{7, 3, "789", true, "789"},
		{10, 0, "", true, ""},
		{10, 1, "", false, ""},
		{11, 0, "", false, ""},
		{8, 3, "", false, "89"},
		{0, 11, "", false, "012345"},
		{0, most, "", false, "012345"},
		{5, most - 4, "", false, "56789"},
		{5, most - 3, "", false, "56789"},
		{most, 0, "", false, ""},
		{most, 1, "", false, ""},
		{most - 1, 5, "", false, ""},
		{most, most, "", false, ""},
	} {
		data, ok := span(file, tt.off, tt.size)
		if string(data) != tt.span || ok != tt.spanOK || cap(data) != len(data) {
			t.Errorf("span(%#x, %#x) = %q, %v, want %q, %v", tt.off, tt.size, data, ok, tt.span, tt.spanOK)
		}
		if data := clip(file, tt.off, tt.size, 6); string(data) != tt.clip || cap(data) != len(data) {
			t.Errorf("clip(%#x, %#x) = %q, want %q", tt.off, tt.size, data, tt.clip)
		}
	}
}

func TestStrings(t *testing.T) {
	for p, want := range []string{"---", "r--", "-w-", "rw-", "--x", "r-x", "-wx", "rwx"} {
		if got := Perm(p).String(); got != want {
			t.Errorf("Perm(%d) = %q, want %q", p, got, want)
		}
	}
	for k, want := range map[Kind]string{KindInvalid: "invalid", KindExec: "exec", KindPIE: "pie", 99: "invalid"} {
		if got := k.String(); got != want {
			t.Errorf("Kind(%d) = %q, want %q", k, got, want)
		}
	}
}

// TestZeroImage checks that an Image that Parse did not make is useless and
// harmless.
func TestZeroImage(t *testing.T) {
	var im Image
	if name, _, ok := im.Symbol(1); ok {
		t.Errorf("Symbol = %q", name)
	}
	if _, ok := im.Note("GNU", 3); ok || im.Memory() != 0 {
		t.Errorf("zero image has a note or %d bytes of memory", im.Memory())
	}
}
