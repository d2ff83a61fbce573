package test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/wire"
)

// TestMutations: what the SDK says of damaged messages is what internal/wire
// says: the same are refused, and the others say the same.
func TestMutations(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			c := startCodec(t, compiler)
			for name, kind := range map[string]uint32{"function_call": kindCall, "function_result": kindResult} {
				total, accepted := 0, 0
				random := rand.New(rand.NewPCG(1, uint64(kind)))
				for _, v := range readVectors(t, name) {
					mutations(random, v.bytes, func(message []byte) {
						text, written, ok := c.ask(kind, message)
						wantText, wantWritten, wantOK := verdict(kind, message)
						if ok != wantOK || text != wantText || !bytes.Equal(written, wantWritten) {
							t.Fatalf("%s, mutated:\n%x\nis %t %q\nwant %t %q", v.name, message, ok, text, wantOK, wantText)
						}
						total++
						if ok {
							accepted++
						}
					})
				}
				if t.Logf("%s: %d, of which %d are messages", name, total, accepted); total < 10000 || accepted < total/20 {
					t.Errorf("%s: these mutations say little", name)
				}
			}
		})
	}
}

// mutations damages a message in many ways.
func mutations(random *rand.Rand, message []byte, test func([]byte)) {
	damaged := make([]byte, 0, len(message)+8)
	try := func(change func([]byte) []byte) {
		test(change(append(damaged[:0], message...)))
	}
	sized := func(b []byte) []byte {
		if len(b) >= 4 {
			binary.LittleEndian.PutUint32(b, uint32(len(b)-4))
		}
		return b
	}
	interesting := []byte{0, 1, 2, 4, 8, 0x0b, 0x7f, 0x80, 0xc3, 0xff}
	for range min(len(message), 120) {
		at := random.IntN(len(message))
		try(func(b []byte) []byte { b[at] = interesting[random.IntN(len(interesting))]; return b })
		try(func(b []byte) []byte { b[at] += byte(random.IntN(9) - 4); return b })
		try(func(b []byte) []byte { return sized(b[:at]) })
		try(func(b []byte) []byte {
			word := at &^ 3
			if word+4 <= len(b) {
				binary.LittleEndian.PutUint32(b[word:], uint32(random.IntN(2*len(b))-len(b)/2))
			}
			return b
		})
		try(func(b []byte) []byte {
			for range 3 {
				b[random.IntN(len(b))] ^= 1 << random.IntN(8)
			}
			return sized(b)
		})
		try(func(b []byte) []byte { return sized(append(b, b[at:min(at+8, len(b))]...)) })
	}
}

// TestCorners: messages that mutations don't find.
func TestCorners(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			c := startCodec(t, compiler)
			agree := func(name string, kind uint32, message []byte) bool {
				t.Helper()
				text, written, ok := c.ask(kind, message)
				wantText, wantWritten, wantOK := verdict(kind, message)
				if ok != wantOK || text != wantText || !bytes.Equal(written, wantWritten) {
					t.Errorf("%s:\n%x\nis %t %q\nwant %t %q", name, message, ok, text, wantOK, wantText)
				}
				return ok
			}

			// Parameters that are one table, with a text of any length: the budget holds
			// for some of them.
			accepted, total := 0, 0
			for shared := 1; shared <= wire.MaxParams; shared += 3 {
				for length := range 200 {
					call := wire.Call{Name: "name", Args: make([]wire.Value, wire.MaxParams)}
					for i := range call.Args {
						call.Args[i] = wire.String("x")
					}
					call.Args[wire.MaxParams-1] = wire.String(strings.Repeat("y", length))
					message, err := wire.AppendCall(nil, &call)
					if err != nil {
						t.Fatal(err)
					}
					// The name is at 32, the list of parameters behind it.
					const list = 32 + 4 + 8
					last := list + 4 + 4*(wire.MaxParams-1)
					target := last + int(binary.LittleEndian.Uint32(message[last:]))
					for i := range shared {
						at := list + 4 + 4*i
						binary.LittleEndian.PutUint32(message[at:], uint32(target-at))
					}
					total++
					if agree("shared", kindCall, message) {
						accepted++
					}
				}
			}
			if accepted < total/10 || accepted > total*9/10 {
				t.Errorf("%d of %d messages with shared parts are accepted: the limit is not among them", accepted, total)
			}

			// A result that is void, whose table and vtable lie anywhere.
			good := 0
			for table := 32; table < 48; table++ {
				for vtable := 32; vtable < 60; vtable++ {
					message := []byte("\x3c\x00\x00\x00\x10\x00\x00\x00ALFR\x08\x00\x0c\x00\x04\x00\x08\x00\x08\x00\x00\x00\x0a\x00\x00\x00")
					message = binary.LittleEndian.AppendUint32(message, uint32(table-28))
					message = append(message, make([]byte, 32)...)
					binary.LittleEndian.PutUint32(message[vtable:], 4|4<<16)
					binary.LittleEndian.PutUint32(message[table:], uint32(table-vtable))
					if agree("void", kindResult, message) {
						good++
					}
				}
			}
			if good == 0 {
				t.Error("no void result is accepted")
			}
		})
	}
}

// TestTexts: texts for people are cleaned as internal/wire cleans them.
func TestTexts(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			c := startCodec(t, compiler)
			random := rand.New(rand.NewPCG(3, 4))
			pieces := []string{
				"a", "plain text, and more of it ", "ü", "火", "🚀", "\xff", "\x80", "\xc3", "\xe7\x81", "\xf0\x9f\x9a", "\xed\xa0\x80",
				"\xc0\x80", "\xe0\x80\x80", "\xf4\x90\x80\x80", "\xf0\x80\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\x00", "\u0800", "\U00010000", "\U0010ffff", "\ud7ff", "\ue000",
			}
			text := func(limit int) string {
				var b strings.Builder
				want := random.IntN(limit + 16)
				if random.IntN(4) == 0 {
					want = max(0, limit+random.IntN(9)-6)
					b.WriteString(strings.Repeat("x", max(0, want-random.IntN(20))))
				}
				for b.Len() < want {
					b.WriteString(pieces[random.IntN(len(pieces))])
				}
				return b.String()
			}
			for range 600 {
				e := wire.ErrorInfo{Code: wire.CodeFailed, Message: text(wire.MaxErrorText)}
				var d describer
				c.compare(kindError, d.number(uint32(e.Code)).text(e.Message).data, func() ([]byte, error) { return wire.AppendError(nil, &e) })
				r := wire.LogRecord{
					Level: wire.Level(random.IntN(7)), Message: text(wire.MaxLogText), Source: text(wire.MaxLogSource),
					File: text(wire.MaxLogFile), Line: random.Uint32(),
				}
				for range random.IntN(34) {
					r.Attrs = append(r.Attrs, wire.Attr{Key: text(wire.MaxLogKey), Value: text(wire.MaxLogValue)})
				}
				d = describer{}
				d.record(&r)
				c.compare(kindLog, d.data, func() ([]byte, error) { return wire.AppendLogRecord(nil, &r) })
			}
		})
	}
}

// compare compares what the SDK writes with what internal/wire writes, or refuses.
func (c *codec) compare(kind uint32, description []byte, write func() ([]byte, error)) {
	c.t.Helper()
	_, got, ok := c.ask(kind, description)
	want, err := write()
	if ok != (err == nil) || !bytes.Equal(got, want) {
		c.t.Fatalf("written %t as\n%x\nwant %v\n%x\nof %x", ok, got, err, want, description)
	}
}

// TestFuzz runs the fuzz target for a moment: with a mutator of its own, and
// with that of clang where it is installed.
func TestFuzz(t *testing.T) {
	t.Parallel()
	corpus := t.TempDir()
	var files []string
	for kind, name := range []string{"function_call", "function_result"} {
		for i, v := range readVectors(t, name) {
			file := filepath.Join(corpus, fmt.Sprintf("%s-%d", name, i))
			if err := os.WriteFile(file, append([]byte{byte(kind)}, v.bytes...), 0o600); err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
	}
	for i, text := range []string{"text", "\xed\xa0\x80\xff" + strings.Repeat("ü", 3000), "\x40\x01ab\xffd"} {
		file := filepath.Join(corpus, fmt.Sprintf("text-%d", i))
		if err := os.WriteFile(file, append([]byte{byte(2 + i%2)}, text...), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			program := compile(t, compiler, "-std=gnu11", "-Wall", "-Wextra", "-Wno-unused-function", sanitizers, "-DFUZZ_MAIN", "fuzz.c")
			if text, err := run(program, "1000", files); err != nil || !strings.HasPrefix(text, "ran 101000") {
				t.Errorf("%v\n%s", err, text)
			}
			fuzzer := []string{"-g", "-O1", "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all"}
			if !canLink(t, compiler, fuzzer...) {
				t.Logf("%s has no libFuzzer", compiler)
				return
			}
			program = compile(t, compiler, "-std=gnu11", "-Wno-unused-function", fuzzer, "fuzz.c")
			if text, err := run(program, "-runs=20000", "-seed=1", "-max_len=4096", t.TempDir(), corpus); err != nil {
				t.Errorf("%v\n%s", err, text)
			}
		})
	}
}
