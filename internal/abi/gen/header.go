package main

import (
	"fmt"
	"regexp"
	"strings"
)

// header is what the contract file defines, in its order.
type header struct {
	constants []constant
	enums     []enum
	structs   []structure
}

type constant struct {
	name    string // C name without the AIRLOCK_ prefix
	hex     bool   // written in hexadecimal
	comment []string
}

type enum struct {
	name    string
	members []constant
	comment []string
}

type structure struct {
	name    string
	fields  []field
	comment []string
}

type field struct {
	name    string
	ctype   string // uint32_t, struct airlock_boot, ...
	length  string // C expression of an array's length, or ""
	comment []string
}

var (
	defineLine = regexp.MustCompile(`^#define AIRLOCK_(\w+) (.+?)(?:\s*/\* (.*) \*/)?$`)
	structLine = regexp.MustCompile(`^struct airlock_(\w+) \{$`)
	enumLine   = regexp.MustCompile(`^enum airlock_(\w+) \{$`)
	fieldLine  = regexp.MustCompile(`^\t(struct airlock_\w+|u?int\d+_t|char) (\w+)(?:\[(\w+)\])?;(?:\s*/\* (.*) \*/)?$`)
	memberLine = regexp.MustCompile(`^\tAIRLOCK_(\w+) = \w+,(?:\s*/\* (.*) \*/)?$`)
	noteLine   = regexp.MustCompile(`^\s*/\* (.*) \*/$`)
)

// parser walks the header's lines. comment holds the comment block that ends
// on the line before, which documents a definition that follows at once.
type parser struct {
	lines   []string
	next    int
	comment []string
	h       header
}

func parseHeader(text string) (*header, error) {
	p := &parser{lines: strings.Split(text, "\n")}
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		p.next++
		if err := p.top(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.next, err)
		}
	}
	return &p.h, nil
}

func (p *parser) top(line string) error {
	comment := p.comment
	p.comment = nil
	switch {
	case line == "/*":
		p.block()
	case noteLine.MatchString(line):
		p.comment = []string{noteLine.FindStringSubmatch(line)[1]}
	case line == "" || line == "#endif" || strings.HasPrefix(line, "#ifndef ") ||
		strings.HasPrefix(line, "#include ") || line == "#define AIRLOCK_ABI_H":
	case defineLine.MatchString(line):
		m := defineLine.FindStringSubmatch(line)
		if m[3] != "" {
			comment = []string{m[3]}
		}
		p.h.constants = append(p.h.constants, constant{m[1], strings.HasPrefix(m[2], "0x"), comment})
	case enumLine.MatchString(line):
		e := enum{name: enumLine.FindStringSubmatch(line)[1], comment: comment}
		err := p.body(memberLine, func(m, note []string) {
			e.members = append(e.members, constant{m[1], false, append(note, optional(m[2])...)})
		})
		p.h.enums = append(p.h.enums, e)
		return err
	case structLine.MatchString(line):
		s := structure{name: structLine.FindStringSubmatch(line)[1], comment: comment}
		err := p.body(fieldLine, func(m, note []string) {
			s.fields = append(s.fields, field{m[2], m[1], m[3], append(note, optional(m[4])...)})
		})
		p.h.structs = append(p.h.structs, s)
		return err
	default:
		return fmt.Errorf("not in the subset of C that the generator reads: %q", line)
	}
	return nil
}

// block reads the rest of a comment that began with a lone slash-star.
func (p *parser) block() {
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		p.next++
		if line == " */" {
			return
		}
		p.comment = append(p.comment, strings.TrimPrefix(strings.TrimPrefix(line, " *"), " "))
	}
}

// body reads the lines of a struct or enum up to its end and hands each match
// of pattern, with the comment lines before it, to add.
func (p *parser) body(pattern *regexp.Regexp, add func(match, note []string)) error {
	var note []string
	for p.next < len(p.lines) {
		line := p.lines[p.next]
		p.next++
		switch {
		case line == "};":
			return nil
		case noteLine.MatchString(line):
			note = append(note, noteLine.FindStringSubmatch(line)[1])
		case pattern.MatchString(line):
			add(pattern.FindStringSubmatch(line), note)
			note = nil
		default:
			return fmt.Errorf("not in the subset of C that the generator reads: %q", line)
		}
	}
	return fmt.Errorf("a struct or enum does not end")
}

func optional(comment string) []string {
	if comment == "" {
		return nil
	}
	return []string{comment}
}

// expressions lists the C expressions whose values emit needs.
func (h *header) expressions() []string {
	var list []string
	for _, c := range h.constants {
		list = append(list, "AIRLOCK_"+c.name)
	}
	for _, e := range h.enums {
		for _, m := range e.members {
			list = append(list, "AIRLOCK_"+m.name)
		}
	}
	for _, s := range h.structs {
		list = append(list, s.size())
		for _, f := range s.fields {
			list = append(list, s.offset(f))
			if f.length != "" {
				list = append(list, f.length)
			}
		}
	}
	return list
}

func (s structure) size() string { return "sizeof(struct airlock_" + s.name + ")" }

func (s structure) offset(f field) string {
	return "offsetof(struct airlock_" + s.name + ", " + f.name + ")"
}
