package test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/wire"
)

// Kinds of messages in the protocol of testdata/codec.c.
const (
	kindCall = uint32(iota + 1)
	kindResult
	kindError
	kindLog
	kindDeclaration

	kindSmall = uint32(256) // added: also write into every buffer that is too small
)

// codec is a running testdata/codec.c.
type codec struct {
	t      *testing.T
	in     io.WriteCloser
	out    io.Reader
	stderr bytes.Buffer
}

func startCodec(t *testing.T, compiler string) *codec {
	t.Helper()
	program := compile(t, compiler, "-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Wno-unused-function", "-Werror",
		sanitizers, "codec.c")
	c := &codec{t: t}
	cmd := exec.Command(program)
	cmd.Stderr = &c.stderr
	var err error
	if c.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if c.out, err = cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the codec ended with %v\n%s", err, &c.stderr)
		}
	})
	return c
}

// ask sends a message, or the description of one. It returns what it says and
// how the SDK writes it; ok is false if the SDK refuses it.
func (c *codec) ask(kind uint32, payload []byte) (text string, message []byte, ok bool) {
	c.t.Helper()
	frame := binary.LittleEndian.AppendUint32(nil, kind)
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(payload)))
	if _, err := c.in.Write(append(frame, payload...)); err != nil {
		c.t.Fatalf("the codec is gone: %v\nat %x\n%s", err, payload, &c.stderr)
	}
	number := func() uint32 {
		var b [4]byte
		if _, err := io.ReadFull(c.out, b[:]); err != nil {
			c.t.Fatalf("the codec is gone: %v\nat %x\n%s", err, payload, &c.stderr)
		}
		return binary.LittleEndian.Uint32(b[:])
	}
	part := func() []byte {
		b := make([]byte, number())
		if _, err := io.ReadFull(c.out, b); err != nil {
			c.t.Fatalf("the codec is gone: %v\nat %x\n%s", err, payload, &c.stderr)
		}
		return b
	}
	ok = number() == 1
	text = string(part())
	return text, part(), ok
}

// vector is one of the messages that all implementations must read alike; see
// internal/wire/testdata/vectors/README.md.
type vector struct {
	name, writer, decoded string
	bytes                 []byte
	refused               bool
}

func readVectors(t *testing.T, name string) (list []vector) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../../../internal/wire/testdata/vectors", name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	var v vector
	for line := range strings.Lines(string(text)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "":
		case "vector":
			v = vector{name: name + "/" + rest}
		case "writer":
			v.writer = rest
		case "refused":
			v.refused = true
		case "bytes":
			if v.bytes, err = hex.DecodeString(strings.TrimPrefix(rest, "-")); err != nil {
				t.Fatalf("%s: %v", v.name, err)
			}
		case "end":
			list = append(list, v)
		default:
			v.decoded += line
		}
	}
	if len(list) == 0 {
		t.Fatalf("no vectors of %s", name)
	}
	return list
}

// TestVectors: the SDK reads calls and results as the shared vectors say, and
// writes all that guests write as internal/wire does, byte by byte.
func TestVectors(t *testing.T) {
	t.Parallel()
	for _, compiler := range sanitizing(t) {
		t.Run(compiler, func(t *testing.T) {
			t.Parallel()
			c := startCodec(t, compiler)
			for name, kind := range map[string]uint32{"function_call": kindCall, "function_result": kindResult} {
				for _, v := range readVectors(t, name) {
					text, message, ok := c.ask(kind+kindSmall, v.bytes)
					if ok == v.refused || text != v.decoded {
						t.Errorf("%s: read as %q, %t; want %q, %t", v.name, text, ok, v.decoded, !v.refused)
					}
					if v.writer == "airlock" && !bytes.Equal(message, v.bytes) {
						t.Errorf("%s: written as\n%x\nwant\n%x", v.name, message, v.bytes)
					}
				}
			}
			for name, kind := range map[string]uint32{"error": kindError, "log_record": kindLog, "guest_declaration": kindDeclaration} {
				for _, v := range readVectors(t, name) {
					if v.refused || v.writer != "airlock" {
						continue
					}
					if _, message, ok := c.ask(kind+kindSmall, description(t, kind, v.bytes)); !ok || !bytes.Equal(message, v.bytes) {
						t.Errorf("%s: written as\n%x\nwant\n%x", v.name, message, v.bytes)
					}
				}
			}
		})
	}
}

// description describes a message to the codec.
func description(t *testing.T, kind uint32, message []byte) []byte {
	t.Helper()
	var d describer
	var err error
	switch kind {
	case kindError:
		var e wire.ErrorInfo
		e, err = wire.DecodeError(message)
		d.number(uint32(e.Code)).text(e.Message)
	case kindLog:
		var r wire.LogRecord
		r, err = wire.DecodeLogRecord(message)
		d.record(&r)
	default:
		var g wire.Declaration
		g, err = wire.DecodeDeclaration(message)
		d.text(g.SDKName).text(g.SDKVersion).functions(g.Exports).functions(g.Imports)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d.data
}

type describer struct{ data []byte }

func (d *describer) number(n uint32) *describer {
	d.data = binary.LittleEndian.AppendUint32(d.data, n)
	return d
}

func (d *describer) text(s string) *describer {
	d.number(uint32(len(s)))
	d.data = append(d.data, s...)
	return d
}

func (d *describer) record(r *wire.LogRecord) {
	d.number(uint32(r.Level)).number(r.Line).text(r.Message).text(r.Source).text(r.File).number(uint32(len(r.Attrs)))
	for _, a := range r.Attrs {
		d.text(a.Key).text(a.Value)
	}
}

func (d *describer) functions(list []wire.Function) *describer {
	d.number(uint32(len(list)))
	for _, f := range list {
		types := make([]byte, len(f.Params))
		for i, kind := range f.Params {
			types[i] = byte(kind)
		}
		d.text(f.Name + "\x00").number(uint32(f.Return)).text(string(types))
	}
	return d
}

// verdict is what internal/wire says of a message: what it says, how it would be
// written, and whether it is one.
func verdict(kind uint32, message []byte) (text string, written []byte, ok bool) {
	if kind == kindCall {
		call, err := wire.DecodeCall(message)
		if err != nil {
			return "", nil, false
		}
		text = "name " + hexText(call.Name) + "\n"
		for _, arg := range call.Args {
			text += "param " + valueText(arg) + "\n"
		}
		written, err = wire.AppendCall(nil, &call)
		return text, written, err == nil
	}
	result, err := wire.DecodeResult(message)
	switch {
	case err != nil:
		return "", nil, false
	case result.Err != nil:
		text = "error " + strings.ReplaceAll(result.Err.Code.String(), " ", "-") + " " + hexText(result.Err.Message) + "\n"
	default:
		text = "value " + valueText(result.Value) + "\n"
	}
	written, err = wire.AppendResult(nil, &result)
	return text, written, err == nil
}

func hexText(s string) string {
	if s == "" {
		return "-"
	}
	return hex.EncodeToString([]byte(s))
}

func valueText(v wire.Value) string {
	text := v.Kind().String()
	switch x := v.Any().(type) {
	case nil:
		return text
	case float32:
		bits := make([]byte, 0, 4)
		return text + " " + hex.EncodeToString(binary.BigEndian.AppendUint32(bits, math.Float32bits(x)))
	case float64:
		return fmt.Sprintf("%s %016x", text, math.Float64bits(x))
	case string:
		return text + " " + hexText(x)
	case []byte:
		return text + " " + hexText(string(x))
	default:
		return fmt.Sprint(text, " ", x)
	}
}
