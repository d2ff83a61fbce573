package airlock_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples: whatever a package exports has an example, which is run unless it
// is of a guest. Those of a type are those of its constants, and of the methods
// that make it text or an error.
func TestExamples(t *testing.T) {
	t.Parallel()
	for dir, run := range map[string]bool{".": true, "guest": false} {
		pkg := documented(t, dir)
		examples := make(map[string]*doc.Example)
		for _, example := range pkg.examples {
			name, suffix, _ := strings.Cut(example.Name, "_")
			if method, _, _ := strings.Cut(suffix, "_"); ast.IsExported(method) {
				name += "_" + method
			}
			examples[name] = example
			if run && example.Output == "" && !example.EmptyOutput {
				t.Errorf("Example%s is not run: it has no output", example.Name)
			}
		}
		for _, noun := range pkg.nouns {
			if examples[noun] == nil {
				t.Errorf("%s: there is no Example%s", dir, noun)
			}
		}
	}
}

// exported is what a package has: its nouns as examples name them.
type exported struct {
	nouns    []string
	examples []*doc.Example
}

func documented(t *testing.T, dir string) (e exported) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		t.Fatalf("%s: no files: %v", dir, err)
	}
	fset := token.NewFileSet()
	var files, tests []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		switch {
		case err != nil:
			t.Fatal(err)
		case strings.HasSuffix(name, "_test.go"):
			tests = append(tests, file)
		default:
			files = append(files, file)
		}
	}
	pkg, err := doc.NewFromFiles(fset, files, dir)
	if err != nil {
		t.Fatal(err)
	}
	e.examples = doc.Examples(tests...)
	values := append(pkg.Consts, pkg.Vars...)
	functions := pkg.Funcs
	for _, typ := range pkg.Types {
		e.nouns = append(e.nouns, typ.Name)
		values, functions = append(values, typ.Vars...), append(functions, typ.Funcs...)
		for _, method := range typ.Methods {
			switch method.Name {
			case "String", "Error", "Unwrap", "Is":
			default:
				e.nouns = append(e.nouns, typ.Name+"_"+method.Name)
			}
		}
	}
	for _, function := range functions {
		e.nouns = append(e.nouns, function.Name)
	}
	for _, value := range values {
		for _, name := range value.Names {
			// Constants such as CodeFailed belong to a type, which go/doc can't see in
			// constants that are converted.
			if ast.IsExported(name) && !strings.HasPrefix(name, "Code") && !strings.HasPrefix(name, "Arg") {
				e.nouns = append(e.nouns, name)
			}
		}
	}
	return e
}
