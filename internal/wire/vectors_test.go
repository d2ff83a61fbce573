package wire

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the shared vectors anew")

const vectorDir = "testdata/vectors"

// vector is a message that all implementations must read alike. The format of
// the files is described in testdata/vectors/README.md.
type vector struct {
	name    string
	writer  string // who wrote the bytes
	bytes   []byte
	refused string // why they are not a message, or empty
	decoded string // what they say, as describe writes it
}

func (v vector) String() string {
	text := fmt.Sprintf("vector %s\nwriter %s\nbytes %s\n", v.name, v.writer, hexText(string(v.bytes)))
	if v.refused != "" {
		return text + "refused " + v.refused + "\nend\n"
	}
	return text + v.decoded + "end\n"
}

// largestVector bounds the files: what is larger says nothing that a smaller
// message doesn't.
const largestVector = 1600

// makeVectors returns what the file of one kind of message should have.
func makeVectors(t *testing.T, c codec) (list []vector) {
	t.Helper()
	for _, s := range c.samples {
		for writer, msg := range map[string][]byte{"airlock": c.mustEncode(t, s.value), "library": c.build(s.value)} {
			if len(msg) <= largestVector {
				list = append(list, vector{name: s.name + "-" + writer, writer: writer, bytes: msg, decoded: describe(s.value)})
			}
		}
	}
	for _, r := range refusals() {
		if msg := r.bytes(t); r.codec.msg == c.msg && len(msg) <= largestVector {
			reason := strings.TrimPrefix(r.want.Error(), "wire: ")
			list = append(list, vector{name: r.name, writer: "damaged", bytes: msg, refused: strings.ReplaceAll(reason, " ", "-")})
		}
	}
	return list
}

func vectorFile(c codec) string { return filepath.Join(vectorDir, c.msg.name+".txt") }

// TestVectors checks each shared vector, and that the files have all that the
// tests make. The bytes that this package writes are part of it: they may
// change, but not unnoticed.
func TestVectors(t *testing.T) {
	for _, c := range codecs() {
		t.Run(c.msg.name, func(t *testing.T) {
			want := makeVectors(t, c)
			if *update {
				var b strings.Builder
				for i, v := range sortedVectors(want) {
					if i > 0 {
						b.WriteByte('\n')
					}
					b.WriteString(v.String())
				}
				if err := os.WriteFile(vectorFile(c), []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got := readVectors(t, vectorFile(c))
			for _, v := range got {
				checkVector(t, c, v)
			}
			compareVectors(t, got, want)
		})
	}
}

func checkVector(t *testing.T, c codec, v vector) {
	t.Helper()
	decoded, err := c.decode(v.bytes)
	if v.refused != "" {
		var e *Error
		if !errors.As(err, &e) || strings.ReplaceAll(e.Reason.Error(), " ", "-") != "wire:-"+v.refused {
			t.Errorf("%s: %v, want %s", v.name, err, v.refused)
		}
		return
	}
	if err != nil {
		t.Errorf("%s: %v", v.name, err)
		return
	}
	if got := describe(decoded); got != v.decoded {
		t.Errorf("%s: decoded\n%swant\n%s", v.name, got, v.decoded)
	}
	if msg := c.mustEncode(t, decoded); v.writer == "airlock" && string(msg) != string(v.bytes) {
		t.Errorf("%s: encoded\n%x\nwant\n%x", v.name, msg, v.bytes)
	}
}

// compareVectors compares two lists both ways.
func compareVectors(t *testing.T, got, want []vector) {
	t.Helper()
	byName := map[string]string{}
	for _, v := range got {
		if _, ok := byName[v.name]; ok {
			t.Errorf("two vectors are called %s", v.name)
		}
		byName[v.name] = v.String()
	}
	for _, v := range want {
		if byName[v.name] != v.String() {
			t.Errorf("vector %s is\n%sshould be\n%s(go test ./internal/wire -run TestVectors -update)", v.name, byName[v.name], v)
		}
		delete(byName, v.name)
	}
	for name := range byName {
		t.Errorf("vector %s is not made by the tests", name)
	}
}

// readVectors reads a file of vectors.
func readVectors(tb testing.TB, file string) (list []vector) {
	tb.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		tb.Fatal(err)
	}
	var v vector
	for line := range strings.Lines(string(text)) {
		word, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch word {
		case "":
		case "vector":
			v = vector{name: rest}
		case "writer":
			v.writer = rest
		case "refused":
			v.refused = rest
		case "bytes":
			if v.bytes, err = hex.DecodeString(strings.TrimPrefix(rest, "-")); err != nil {
				tb.Fatalf("%s: vector %s: %v", file, v.name, err)
			}
		case "end":
			list = append(list, v)
		default:
			v.decoded += line
		}
	}
	return list
}

func sortedVectors(list []vector) []vector {
	order := map[string]int{"airlock": 0, "library": 1, "damaged": 2}
	sorted := make([]vector, 0, len(list))
	for n := range len(order) {
		for _, v := range list {
			if order[v.writer] == n {
				sorted = append(sorted, v)
			}
		}
	}
	return sorted
}
