// JSON, gob, regexp, gzip, flate, base64 and CSV round trips over generated data.
// want: exit 0
// stdout: SUCCESS
// memory: 64MiB
package main

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/csv"
	"encoding/gob"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

type record struct {
	ID    int               `json:"id"`
	Name  string            `json:"name"`
	Score float64           `json:"score"`
	Tags  []string          `json:"tags"`
	Attrs map[string]string `json:"attrs"`
	Next  *record           `json:"next,omitempty"`
}

func records() []record {
	out := make([]record, 1000)
	for i := range out {
		out[i] = record{
			ID: i, Name: fmt.Sprintf("näme-%d", i), Score: float64(i) / 7,
			Tags:  []string{"a", strings.Repeat("x", i%10)},
			Attrs: map[string]string{"key": fmt.Sprint(i), "quote": `"<&>`},
		}
		if i%3 == 0 {
			out[i].Next = &record{ID: -i, Tags: []string{}, Attrs: map[string]string{}}
		}
	}
	return out
}

func main() {
	want := records()
	text, err := json.Marshal(want)
	check.OK(err)
	var fromJSON []record
	check.OK(json.Unmarshal(text, &fromJSON))
	check.That(reflect.DeepEqual(want, fromJSON), "JSON does not round-trip")

	for _, level := range []int{1, 6, 9} {
		var packed bytes.Buffer
		zw, err := gzip.NewWriterLevel(&packed, level)
		check.OK(err)
		_, err = zw.Write(text)
		check.OK(err)
		check.OK(zw.Close())
		check.That(packed.Len() < len(text)/3, "gzip -%d: %d of %d bytes", level, packed.Len(), len(text))
		zr, err := gzip.NewReader(&packed)
		check.OK(err)
		unpacked, err := io.ReadAll(zr)
		check.OK(err)
		check.That(bytes.Equal(unpacked, text), "gzip -%d does not round-trip", level)
	}
	_, err = zlib.NewReader(strings.NewReader("not zlib"))
	check.That(err != nil, "zlib accepted garbage")

	var stream bytes.Buffer
	check.OK(gob.NewEncoder(&stream).Encode(want))
	var fromGob []record
	check.OK(gob.NewDecoder(&stream).Decode(&fromGob))
	check.Equal(len(fromGob), len(want))
	check.Equal(fromGob[999].Name, want[999].Name)

	coded := base64.StdEncoding.EncodeToString(text)
	decoded, err := base64.StdEncoding.DecodeString(coded)
	check.OK(err)
	check.That(bytes.Equal(decoded, text), "base64 does not round-trip")

	names := regexp.MustCompile(`"name":"(näme-(\d+))"`).FindAllSubmatch(text, -1)
	check.Equal(len(names), 1000)
	check.Equal(string(names[123][2]), "123")
	swapped := regexp.MustCompile(`(\w+)@(\w+)\.com`).ReplaceAllString("bob@example.com", "$2 $1")
	check.Equal(swapped, "example bob")

	rows, err := csv.NewReader(strings.NewReader("a,\"b,\"\"c\"\n1,2\n")).ReadAll()
	check.OK(err)
	check.Equal(rows[0][1], `b,"c`)
	check.Success()
}
