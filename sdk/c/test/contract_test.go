package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlockvm/airlock/internal/wire"
)

// TestContract: what the SDK restates of abi/airlock_abi.h and of the schemas,
// which internal/wire follows, is the same.
func TestContract(t *testing.T) {
	t.Parallel()
	require(t, "gcc")
	numbers := map[string]int{
		"AIRLOCK_MAX_NAME": wire.MaxName, "AIRLOCK_MAX_PARAMETERS": wire.MaxParams,
		"AIRLOCK_MAX_FUNCTIONS": wire.MaxFunctions, "AIRLOCK_MAX_ERROR": wire.MaxErrorText,
		"AIRLOCK_MAX_LOG": wire.MaxLogText, "AIRLOCK_MAX_SOURCE": wire.MaxLogSource,
		"AIRLOCK_MAX_FILE": wire.MaxLogFile, "AIRLOCK_MAX_ATTRIBUTES": wire.MaxLogAttrs,
		"AIRLOCK_MAX_KEY": wire.MaxLogKey, "AIRLOCK_MAX_ATTRIBUTE": wire.MaxLogValue,
		"MAX_MESSAGE": wire.MaxMessage,
	}
	// Enumerations, by the names that internal/wire has for each number.
	for kind := wire.KindInt32; kind <= wire.KindVoid; kind++ {
		numbers["AIRLOCK_"+constant(kind)] = int(kind)
	}
	for code := wire.CodeFailed; code <= wire.CodeAborted; code++ {
		numbers["AIRLOCK_"+constant(code)] = int(code)
	}
	for level := wire.LevelTrace; level <= wire.LevelError; level++ {
		numbers["AIRLOCK_LOG_"+constant(level)] = int(level)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#include \"%s\"\n", absolute(t, "testdata/contract.c"))
	for name, number := range numbers {
		fmt.Fprintf(&b, "_Static_assert((int)%s == %d, \"%s is not %d\");\n", name, number, name, number)
	}
	source := filepath.Join(t.TempDir(), "contract.c")
	if err := os.WriteFile(source, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := run("gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", source); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}

func constant(v fmt.Stringer) string {
	return strings.ToUpper(strings.ReplaceAll(v.String(), " ", "_"))
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
