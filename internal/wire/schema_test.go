package wire

import (
	"slices"
	"strings"
	"testing"
)

var allMessages = []*message{
	&callMessage, &resultMessage, &errorMessage, &logMessage, &declarationMessage, &hostFunctionsMessage,
}

// TestSchema compares the descriptions in schema.go with the schema files:
// all that the one says, the other must say.
func TestSchema(t *testing.T) {
	s := readSchemas(t, schemaFiles(t)...)
	seen := map[string]*table{}
	for _, m := range allMessages {
		own := readSchemas(t, m.name+".fbs")
		if m.root.name != own.root || m.id != own.identifier {
			t.Errorf("%s: root %s, id %s; the schema says %s, %s", m.name, m.root.name, m.id, own.root, own.identifier)
		}
		compareTable(t, s, m.root, seen)
	}
	for name := range s.tables {
		if seen[name] == nil {
			t.Errorf("table %s is not described in schema.go", name)
		}
	}
	for _, file := range schemaFiles(t) {
		root := readSchemas(t, file).root
		described := slices.ContainsFunc(allMessages, func(m *message) bool { return m.name+".fbs" == file })
		if (root != "") != described {
			t.Errorf("%s: root type %q, described as a message: %v", file, root, described)
		}
	}
}

func compareTable(t *testing.T, s *fbsSchema, tab *table, seen map[string]*table) {
	t.Helper()
	if old := seen[tab.name]; old != nil {
		if old != tab {
			t.Errorf("table %s is described twice", tab.name)
		}
		return
	}
	seen[tab.name] = tab
	fields, ok := s.tables[tab.name]
	if !ok {
		t.Errorf("table %s is not in the schemas", tab.name)
		return
	}
	var want []field
	for _, f := range fields {
		want = append(want, describeField(t, s, f)...)
	}
	if len(want) != len(tab.fields) {
		t.Errorf("table %s: %d fields, the schema has %d", tab.name, len(tab.fields), len(want))
		return
	}
	for i, got := range tab.fields {
		w := want[i]
		if got.name != w.name || got.form != w.form || got.required != w.required || got.isName != w.isName || got.max != w.max {
			t.Errorf("table %s: field %d is %+v, the schema says %+v", tab.name, i, got, w)
		}
		compareMembers(t, s, tab.name+"."+got.name, got, fieldNamed(fields, got.name), seen)
	}
}

// compareMembers compares the tables that a field leads to.
func compareMembers(t *testing.T, s *fbsSchema, path string, got field, f fbsField, seen map[string]*table) {
	t.Helper()
	switch {
	case got.form == formTables:
		if "["+got.table.name+"]" != f.typ {
			t.Errorf("%s leads to %s, in the schema it is %s", path, got.table.name, f.typ)
		}
		compareTable(t, s, got.table, seen)
	case got.form == formUnion:
		names := []string{}
		for i, member := range got.union {
			if i == 0 {
				if member != nil {
					t.Errorf("%s: type 0 of a union is never valid", path)
				}
				continue
			}
			names = append(names, member.name)
			compareTable(t, s, member, seen)
		}
		if want := s.unions[f.typ]; !slices.Equal(names, want) {
			t.Errorf("%s is one of %v, the schema says %v", path, names, want)
		}
	case got.table != nil || got.union != nil:
		t.Errorf("%s has tables without need", path)
	}
}

func fieldNamed(fields []fbsField, name string) fbsField {
	i := slices.IndexFunc(fields, func(f fbsField) bool { return f.name == name })
	if i < 0 {
		return fbsField{} // the type of a union
	}
	return fields[i]
}

// describeField says what schema.go should say about a field: of a union, two.
func describeField(t *testing.T, s *fbsSchema, f fbsField) []field {
	t.Helper()
	out := field{name: f.name, required: f.has("required"), isName: f.has("name")}
	item := strings.Trim(f.typ, "[]")
	switch {
	case s.unions[f.typ] != nil:
		f.only(t, "required")
		out.form = formUnion
		return []field{{name: f.name + "_type", form: formUnionType}, out}
	case s.enums[f.typ] != nil:
		f.only(t)
		out.form, out.max = formEnum, uint64(len(s.enums[f.typ])-1)
	case item != f.typ && s.tables[item] != nil:
		f.only(t, "required", "max_items")
		out.form, out.max = formTables, f.number(t, "max_items")
	case item != f.typ && s.enums[item] != nil:
		// The verifier's limit for the items is maxItemKind.
		f.only(t, "required", "max_items", "not_void")
		if !f.has("not_void") || item != "ValueType" {
			t.Errorf("field %s: the verifier knows only vectors of types of parameters", f.name)
		}
		out.form, out.max = formEnums, f.number(t, "max_items")
	case f.typ == "[ubyte]":
		f.only(t, "required")
		out.form = formBytes
	case f.typ == "string":
		f.only(t, "required", "max_bytes", "name")
		out.form, out.max = formString, f.number(t, "max_bytes")
	default:
		f.only(t)
		out.form = map[string]form{
			"bool": formBool, "int32": formScalar32, "uint32": formScalar32, "float32": formScalar32,
			"int64": formScalar64, "uint64": formScalar64, "float64": formScalar64,
		}[f.typ]
		if out.form == formInvalid {
			t.Errorf("field %s: type %s is not one that the verifier knows", f.name, f.typ)
		}
	}
	return []field{out}
}

// TestEnums compares the enumerations of this package with those of the
// schemas, by number and by name.
func TestEnums(t *testing.T) {
	s := readSchemas(t, schemaFiles(t)...)
	for _, enum := range []struct {
		name  string
		names []string
	}{
		{"ValueType", kindNames[:]},
		{"ErrorCode", codeNames[:]},
		{"LogLevel", levelNames[:]},
	} {
		want := slices.Clone(s.enums[enum.name])
		if len(want) == 0 || want[0] != "None" {
			t.Errorf("enum %s does not begin with None", enum.name)
			continue
		}
		want[0] = "Invalid"
		var got []string
		for _, name := range enum.names {
			camel := ""
			for word := range strings.FieldsSeq(name) {
				camel += strings.ToUpper(word[:1]) + word[1:]
			}
			got = append(got, camel)
		}
		if !slices.Equal(got, want) {
			t.Errorf("enum %s is %v, in the schema %v", enum.name, got, want)
		}
	}
	if len(s.enums) != 3 {
		t.Errorf("the schemas have %d enums, 3 are compared", len(s.enums))
	}
	// Kinds are the types of both unions.
	for i, member := range append([]string{"ValueInvalid"}, s.unions["Outcome"]...) {
		if i < kindCount && member != "Value"+s.enums["ValueType"][i] && i != 0 {
			t.Errorf("type %d of Outcome is %s, kind %d is %s", i, member, i, Kind(i))
		}
		if i == int(outcomeError) && member != "Error" {
			t.Errorf("type %d of Outcome is %s", i, member)
		}
	}
}
