package wire

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// schemaDir is where the schemas are, seen from this package.
const schemaDir = "../../abi/schema"

// fbsSchema is what one or more schema files say.
type fbsSchema struct {
	enums  map[string][]string // names by number
	unions map[string][]string // members; the first, None, is not written
	tables map[string][]fbsField
	// of the last file that was read
	root, identifier string
}

type fbsField struct {
	name, typ string
	attrs     map[string]string
}

// readSchemas reads schema files into one schema. It understands what these
// files need of the language, and fails the test on anything else.
func readSchemas(t *testing.T, files ...string) *fbsSchema {
	t.Helper()
	s := &fbsSchema{enums: map[string][]string{}, unions: map[string][]string{}, tables: map[string][]fbsField{}}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(schemaDir, file))
		if err != nil {
			t.Fatal(err)
		}
		s.root, s.identifier = "", ""
		p := &fbsParser{t: t, file: file, tokens: fbsTokens.FindAllString(fbsComment.ReplaceAllString(string(text), ""), -1)}
		for len(p.tokens) > 0 {
			p.statement(s)
		}
	}
	return s
}

// schemaFiles lists the schema files.
func schemaFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(schemaDir, "*.fbs"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no schemas in %s: %v", schemaDir, err)
	}
	for i, file := range files {
		files[i] = filepath.Base(file)
	}
	return files
}

var (
	fbsComment = regexp.MustCompile(`//.*`)
	fbsTokens  = regexp.MustCompile(`"[^"]*"|[A-Za-z0-9_]+|\S`)
)

type fbsParser struct {
	t      *testing.T
	file   string
	tokens []string
}

func (p *fbsParser) next() string {
	if len(p.tokens) == 0 {
		p.t.Fatalf("%s: ends too early", p.file)
	}
	token := p.tokens[0]
	p.tokens = p.tokens[1:]
	return token
}

func (p *fbsParser) want(token string) {
	if got := p.next(); got != token {
		p.t.Fatalf("%s: %q where %q should be", p.file, got, token)
	}
}

// take reports whether the next token is the given one, and skips it if so.
func (p *fbsParser) take(token string) bool {
	if len(p.tokens) > 0 && p.tokens[0] == token {
		p.next()
		return true
	}
	return false
}

func (p *fbsParser) statement(s *fbsSchema) {
	switch word := p.next(); word {
	case "include", "attribute", "namespace":
		p.next()
		p.want(";")
	case "root_type":
		s.root = p.next()
		p.want(";")
	case "file_identifier":
		s.identifier = strings.Trim(p.next(), `"`)
		p.want(";")
	case "enum":
		name := p.next()
		p.want(":")
		p.want("ubyte")
		s.enums[name] = p.members()
	case "union":
		s.unions[p.next()] = p.members()
	case "table":
		s.tables[p.next()] = p.fields()
	default:
		p.t.Fatalf("%s: unexpected %q", p.file, word)
	}
}

// members reads the names of an enum or union. Only the first may have a
// number, and that is 0: then numbers are positions.
func (p *fbsParser) members() (names []string) {
	p.want("{")
	for !p.take("}") {
		names = append(names, p.next())
		if len(names) == 1 && p.take("=") {
			p.want("0")
		}
		if !p.take(",") {
			p.want("}")
			break
		}
	}
	return names
}

func (p *fbsParser) fields() (fields []fbsField) {
	p.want("{")
	for !p.take("}") {
		f := fbsField{name: p.next(), attrs: map[string]string{}}
		p.want(":")
		if p.take("[") {
			f.typ = "[" + p.next() + "]"
			p.want("]")
		} else {
			f.typ = p.next()
		}
		if p.take("(") {
			for !p.take(")") {
				key, value := p.next(), ""
				if p.take(":") {
					value = p.next()
				}
				f.attrs[key] = value
				p.take(",")
			}
		}
		p.want(";")
		fields = append(fields, f)
	}
	return fields
}

// number returns an attribute that is a number, or 0 if it is missing.
func (f fbsField) number(t *testing.T, attr string) uint64 {
	t.Helper()
	text, ok := f.attrs[attr]
	if !ok {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("field %s: attribute %s: %v", f.name, attr, err)
	}
	return n
}

func (f fbsField) has(attr string) bool {
	_, ok := f.attrs[attr]
	return ok
}

// only fails the test if the field has an attribute that is not in the list.
func (f fbsField) only(t *testing.T, attrs ...string) {
	t.Helper()
	for attr := range f.attrs {
		if !slices.Contains(attrs, attr) {
			t.Errorf("field %s: attribute %q makes no sense on type %s", f.name, attr, f.typ)
		}
	}
}
