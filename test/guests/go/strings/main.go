// String-heavy work: building, searching, splitting, sorting, maps and Unicode, with assembly fast paths.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, "word%d ", i*7919%50_000)
	}
	words := strings.Fields(b.String())
	check.Equal(len(words), 50_000)
	counts := map[string]int{}
	for _, w := range words {
		counts[w]++
	}
	check.Equal(len(counts), 50_000)
	slices.Sort(words)
	check.That(slices.IsSorted(words), "not sorted")
	check.Equal(words[0], "word0")
	check.Equal(words[len(words)-1], "word9999")
	_, found := slices.BinarySearch(words, "word4242")
	check.That(found, "word4242 is missing")

	// Index and friends at every alignment: their vector code must not read past a page.
	for n := range 200 {
		hay := strings.Repeat("a", n) + "b" + strings.Repeat("a", 200-n)
		check.Equal(strings.IndexByte(hay, 'b'), n)
		check.Equal(strings.Index(hay[:n+1], strings.Repeat("a", n%20)+"b"), n-n%20)
		check.Equal(bytes.Count([]byte(hay), []byte("a")), 200)
		check.Equal(strings.Compare(hay, strings.Repeat("a", 201)), 1)
	}

	text := "Ünïcödé — 日本語 \U0001F600"
	check.Equal(utf8.RuneCountInString(text), 15)
	check.Equal(strings.ToUpper("ünïcödé"), "ÜNÏCÖDÉ")
	check.Equal(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, text), "Ünïcödé日本語")
	check.That(strings.EqualFold("ΣΑΣ", "σας"), "EqualFold")
	check.Equal(strings.NewReplacer("a", "1", "bb", "2").Replace("abba"), "121")
	check.Equal(strings.ToValidUTF8("a\xffb", "?"), "a?b")
	check.Success()
}
