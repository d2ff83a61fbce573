package elf

import (
	"bytes"
	"cmp"
	debugelf "debug/elf"
	"encoding/binary"
	"errors"
	"slices"
	"testing"
)

// FuzzParse feeds whole files, and checks everything that the package promises
// about any of them.
func FuzzParse(f *testing.F) {
	f.Add([]byte(nil), uint64(0))
	f.Add([]byte("#!/bin/sh\n"), uint64(1))
	f.Add(newBuilder().bytes(f), uint64(textAddr))
	f.Add(symbolFile(f), uint64(textAddr+0x12))
	for _, table := range [][]refusal{headerRefusals, tableRefusals, segmentRefusals} {
		for _, row := range table {
			b := newBuilder()
			if row.edit != nil {
				row.edit(b)
			}
			file := b.bytes(f)
			if row.raw != nil {
				file = row.raw(file)
			}
			f.Add(file, uint64(textAddr))
		}
	}
	f.Fuzz(func(t *testing.T, file []byte, addr uint64) {
		lim := testLimits()
		im, err := Parse(file, lim)
		if (err == nil) != (im != nil) {
			t.Fatalf("Parse = %v, %v", im, err)
		}
		if err != nil {
			var fe *FormatError
			if !errors.As(err, &fe) || fe.Reason == reasonInvalid || fe.Reason >= reasonCount || fe.Msg == "" {
				t.Fatalf("odd error %#v", err)
			}
			if len(err.Error()) > 1000 {
				t.Errorf("message of %d bytes", len(err.Error()))
			}
			return
		}
		checkInvariants(t, file, lim, im)
		exercise(t, im)
		checkSymbol(t, im, addr)
	})
}

// FuzzSymbol feeds a symbol table and names for it into a sound file, and
// compares each answer with that of a search too simple to be wrong.
func FuzzSymbol(f *testing.F) {
	f.Add([]byte{}, []byte{}, uint64(0))
	table, names := symbols(f, map[string]debugelf.Sym64{
		"a": function(textAddr+1, 1, debugelf.STB_GLOBAL),
		"b": function(textAddr+1, 0, debugelf.STB_GLOBAL),
		"c": function(textAddr+9, 0, debugelf.STB_WEAK),
		"d": function(dataAddr, 0, debugelf.STB_GLOBAL),
	})
	f.Add(table, names, uint64(textAddr+5))
	f.Add(table, names[:3], uint64(textAddr+50))
	f.Fuzz(func(t *testing.T, table, names []byte, addr uint64) {
		b := newBuilder()
		b.addSymbols(table, names)
		im := mustParse(t, b.bytes(t), testLimits())
		for _, addr := range []uint64{addr, textAddr + addr%textSize} {
			checkSymbol(t, im, addr)
			name, offset, ok := im.Symbol(addr)
			want, wantOK := slowSymbol(t, table, names, addr)
			if ok != wantOK || ok && (addr-offset != want.Value || name != printableName(names, want.Name)) {
				t.Errorf("Symbol(%#x) = %q, %#x, %v, want %+v", addr, name, offset, ok, want)
			}
		}
	})
}

// slowSymbol finds the best symbol for addr in the program of newBuilder.
func slowSymbol(tb testing.TB, table, names []byte, addr uint64) (best debugelf.Sym64, ok bool) {
	tb.Helper()
	inText := func(addr uint64) bool { return addr >= textAddr && addr < textAddr+textSize }
	if !inText(addr) {
		return best, false
	}
	list := make([]debugelf.Sym64, len(table)/debugelf.Sym64Size)
	if err := binary.Read(bytes.NewReader(table), binary.LittleEndian, list); err != nil {
		tb.Fatal(err)
	}
	list = slices.DeleteFunc(list, func(s debugelf.Sym64) bool {
		typ := debugelf.ST_TYPE(s.Info)
		return typ != debugelf.STT_FUNC && typ != debugelf.STT_GNU_IFUNC || s.Shndx == 0 ||
			!inText(s.Value) || s.Value > addr || int(s.Name) >= len(names) || names[s.Name] == 0
	})
	if len(list) == 0 {
		return best, false
	}
	return slices.MinFunc(list, func(a, b debugelf.Sym64) int {
		return cmp.Or(
			cmp.Compare(b.Value, a.Value),
			cmp.Compare(symbolRank(a.Info>>4, a.Size), symbolRank(b.Info>>4, b.Size)),
			cmp.Compare(a.Name, b.Name),
		)
	}), true
}
