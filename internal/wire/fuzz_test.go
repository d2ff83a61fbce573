package wire

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fuzz feeds a decoder with bytes and checks everything that checkDecode does.
// The shared vectors of all kinds are the seeds, beside those in testdata/fuzz.
func fuzz(f *testing.F, c codec) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join(vectorDir, "*.txt"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in %s: %v", vectorDir, err)
	}
	for _, file := range files {
		own := file == vectorFile(c)
		for i, v := range readVectors(f, file) {
			if own || i%8 == 0 { // a few of the other kinds are enough
				f.Add(v.bytes)
			}
		}
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		checkDecode(t, c, msg)
		if len(msg) < headerSize {
			return
		}
		// Almost no change that a fuzzer makes keeps the size prefix right, so that
		// without this most would be refused at their first byte.
		whole := bytes.Clone(msg)
		binary.LittleEndian.PutUint32(whole, uint32(len(whole)-4))
		copy(whole[identifierPosition:], c.msg.id)
		checkDecode(t, c, whole)
	})
}

func FuzzDecodeCall(f *testing.F)          { fuzz(f, callCodec) }
func FuzzDecodeResult(f *testing.F)        { fuzz(f, resultCodec) }
func FuzzDecodeError(f *testing.F)         { fuzz(f, errorCodec) }
func FuzzDecodeLog(f *testing.F)           { fuzz(f, logCodec) }
func FuzzDecodeDeclaration(f *testing.F)   { fuzz(f, declarationCodec) }
func FuzzDecodeHostFunctions(f *testing.F) { fuzz(f, hostFunctionsCodec) }

// FuzzTexts sends arbitrary texts and bytes in every place for them: they arrive
// as they were, or are refused where they have to be, or are made safe.
func FuzzTexts(f *testing.F) {
	f.Add("name", "text", []byte("bytes"), uint64(1))
	f.Add("", "\xff", []byte(nil), uint64(1)<<63)
	f.Add("a\x00", strings.Repeat("ż", MaxName), []byte{0}, uint64(7))
	f.Fuzz(func(t *testing.T, name, text string, data []byte, bits uint64) {
		call := Call{Name: name, Args: []Value{String(text), Bytes(data), {kind: KindFloat64, bits: bits}, Bool(true)}}
		if msg, err := AppendCall(nil, &call); err == nil {
			if got, err := DecodeCall(msg); err != nil || describe(got) != describe(call) {
				t.Fatalf("sent\n%sgot %v\n%s", describe(call), err, describe(got))
			}
			checkDecode(t, callCodec, buildCall(call))
		} else if checkDecode(t, callCodec, buildCall(call)) {
			t.Fatalf("%v, but accepted of another writer", err)
		}
		record := LogRecord{Level: LevelInfo, Message: text, Source: name, File: name, Attrs: []Attr{{name, text}}}
		if !checkDecode(t, logCodec, logCodec.mustEncode(t, record)) {
			t.Fatalf("a log record was refused: %+v", record)
		}
		result := Result{Err: &ErrorInfo{CodeFailed, text}}
		if !checkDecode(t, resultCodec, resultCodec.mustEncode(t, result)) {
			t.Fatalf("an error was refused: %q", text)
		}
	})
}

// TestSeeds checks that the seeds that fuzzing found are there.
func TestSeeds(t *testing.T) {
	for _, target := range []string{
		"FuzzDecodeCall", "FuzzDecodeResult", "FuzzDecodeError", "FuzzDecodeLog", "FuzzDecodeDeclaration",
		"FuzzDecodeHostFunctions", "FuzzTexts",
	} {
		if entries, err := os.ReadDir(filepath.Join("testdata/fuzz", target)); err != nil || len(entries) == 0 {
			t.Errorf("no seeds for %s: %v", target, err)
		}
	}
}
