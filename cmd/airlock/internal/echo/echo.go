// Package echo has a guest, built beforehand: a program that exports the
// function Echo, which returns its string.
package echo

import _ "embed"

// Guest is the program's file. It must not be changed.
//
//go:embed echo.elf
var Guest []byte //nolint:gochecknoglobals // embedded
