package elf

import (
	debugelf "debug/elf"
	"slices"
	"strings"
	"testing"
)

func TestNote(t *testing.T) {
	b := newBuilder()
	b.addProg(debugelf.PT_NOTE, slices.Concat(
		note("GNU\x00", 1, []byte("abi"), 4),
		note("GNU\x00", 3, []byte("build"), 4),
		note("Go\x00\x00", 4, []byte("go build"), 4),
		note("", 7, nil, 4),
		note("unterminated", 8, []byte("x"), 4),
	))
	b.addProg(debugelf.PT_NOTE, slices.Concat(
		note("GNU\x00", 3, []byte("second"), 8),
		note("GNU\x00", 5, []byte("properties"), 8),
		note("Airlock\x00", 1, []byte("\x01\x00"), 8),
	)).Align = 8
	im := mustParse(t, b.bytes(t), testLimits())
	for _, tt := range []struct {
		owner string
		typ   uint32
		want  string
		ok    bool
	}{
		{"GNU", 1, "abi", true},
		{"GNU", 3, "build", true},
		{"Go", 4, "go build", true},
		{"", 7, "", true},
		{"unterminated", 8, "x", true},
		{"GNU", 5, "properties", true},
		{"Airlock", 1, "\x01\x00", true},
		{"GNU", 4, "", false},
		{"GNU\x00", 3, "", false},
		{"gnu", 3, "", false},
		{"", 8, "", false},
	} {
		if desc, ok := im.Note(tt.owner, tt.typ); string(desc) != tt.want || ok != tt.ok {
			t.Errorf("Note(%q, %d) = %q, %v, want %q, %v", tt.owner, tt.typ, desc, ok, tt.want, tt.ok)
		}
	}
}

// TestNoteHostile damages the notes before the one that is looked for.
func TestNoteHostile(t *testing.T) {
	good := note("A\x00\x00\x00", 1, []byte("good"), 4)
	size := func(nameSize, descSize string) []byte {
		return []byte(nameSize + descSize + "\x02\x00\x00\x00")
	}
	const zero, four, huge = "\x00\x00\x00\x00", "\x04\x00\x00\x00", "\xff\xff\xff\xff"
	for _, tt := range []struct {
		name  string
		notes []byte
		ok    bool
	}{
		{"sound", slices.Concat(note("B", 1, nil, 4), good), true},
		{"empty notes before it", slices.Concat(size(zero, zero), size(zero, zero), good), true},
		{"name too long", slices.Concat(size(huge, zero), good), false},
		{"contents too long", slices.Concat(size(zero, huge), good), false},
		{"both too long", slices.Concat(size(huge, huge), good), false},
		{"swallowed", slices.Concat(size(four, "\x14\x00\x00\x00"), good), false},
		{"no padding at the end", note("B", 1, []byte("x"), 4)[:17], false},
		{"cut header", good[:11], false},
		{"cut name", good[:13], false},
		{"cut contents", good[:19], false},
		{"nothing", nil, false},
		{"at the cap", append(note("B", 1, make([]byte, maxNotes-16-len(good)), 4), good...), true},
		{"beyond the cap", append(note("B", 1, make([]byte, maxNotes-12-len(good)), 4), good...), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := newBuilder()
			b.addProg(debugelf.PT_NOTE, tt.notes)
			im := mustParse(t, b.bytes(t), testLimits())
			desc, ok := im.Note("A", 1)
			if ok != tt.ok || ok && string(desc) != "good" {
				t.Errorf("Note = %q, %v, want success %v", desc, ok, tt.ok)
			}
			if cap(desc) != len(desc) {
				t.Error("the contents have room to grow into the next note")
			}
		})
	}
}

// TestNoteOwnerIsData checks that a long owner name is compared and not trusted.
func TestNoteOwnerIsData(t *testing.T) {
	owner := strings.Repeat("o", 5000)
	b := newBuilder()
	b.addProg(debugelf.PT_NOTE, note(owner+"\x00", 9, []byte("d"), 4))
	im := mustParse(t, b.bytes(t), testLimits())
	if desc, ok := im.Note(owner, 9); !ok || string(desc) != "d" {
		t.Errorf("Note = %q, %v", desc, ok)
	}
	if _, ok := im.Note(owner[:4999], 9); ok {
		t.Error("a prefix of the owner matches")
	}
}
