// Package values turns what people type into values of the types that guests
// declare, and values into what people read: as plain text, and as JSON. A type
// is named as airlock.FunctionInfo names it. Nothing here touches the system:
// the caller reads the files that arguments name.
package values

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The names of the types.
const (
	typeInt32   = "int32"
	typeUint32  = "uint32"
	typeInt64   = "int64"
	typeUint64  = "uint64"
	typeFloat32 = "float32"
	typeFloat64 = "float64"
	typeBool    = "bool"
	typeString  = "string"
	typeBytes   = "bytes"
	typeVoid    = "void"
)

const hexPrefix = "hex:"

// An UnknownTypeError means that a guest has declared a type that this version
// doesn't know.
type UnknownTypeError string

// Error names the type.
func (e UnknownTypeError) Error() string { return fmt.Sprintf("the type %q is not known", string(e)) }

// Type returns the Go type that values of a type have, or nil for void.
func Type(typ string) (reflect.Type, error) {
	switch typ {
	case typeInt32:
		return reflect.TypeFor[int32](), nil
	case typeUint32:
		return reflect.TypeFor[uint32](), nil
	case typeInt64:
		return reflect.TypeFor[int64](), nil
	case typeUint64:
		return reflect.TypeFor[uint64](), nil
	case typeFloat32:
		return reflect.TypeFor[float32](), nil
	case typeFloat64:
		return reflect.TypeFor[float64](), nil
	case typeBool:
		return reflect.TypeFor[bool](), nil
	case typeString:
		return reflect.TypeFor[string](), nil
	case typeBytes:
		return reflect.TypeFor[[]byte](), nil
	case typeVoid:
		return nil, nil
	}
	return nil, UnknownTypeError(typ)
}

// Parse makes a value of what was typed for it:
//
//   - an integer as in Go, in any base, so that 0x1f, 0b101 and 1_000 are ones;
//   - a float as in Go, or inf, -inf or nan;
//   - a bool as true or false;
//   - a string as it is;
//   - bytes as they are, or as hex:00ff;
//   - a string or bytes as @FILE, which read returns; @@TEXT is the text @TEXT.
//
// So bytes that begin with hex: are written in hexadecimal, and there is nothing
// that can't be written. Void is the empty text, and its value nil.
func Parse(typ, text string, read func(file string) ([]byte, error)) (any, error) {
	switch typ {
	case typeInt32, typeUint32, typeInt64, typeUint64:
		return parseInteger(typ, text, 0)
	case typeFloat32, typeFloat64:
		return parseFloat(typ, text)
	case typeBool:
		return parseBool(text)
	case typeString:
		content, err := parseBytes(text, read)
		if err == nil && !utf8.Valid(content) {
			err = errors.New("it is not UTF-8, which a string is")
		}
		return string(content), err
	case typeBytes:
		if digits, ok := strings.CutPrefix(text, hexPrefix); ok {
			content, err := hex.DecodeString(digits)
			if err != nil {
				return nil, fmt.Errorf("%s is not hexadecimal, which is pairs of digits, such as hex:00ff", show(text))
			}
			return content, nil
		}
		return parseBytes(text, read)
	case typeVoid:
		if text != "" {
			return nil, fmt.Errorf("%s is given for it, and it returns nothing", show(text))
		}
		return nil, nil
	}
	return nil, UnknownTypeError(typ)
}

// parseBytes resolves what begins with @.
func parseBytes(text string, read func(file string) ([]byte, error)) ([]byte, error) {
	rest, ok := strings.CutPrefix(text, "@")
	switch {
	case !ok:
		return []byte(text), nil
	case rest == "":
		return nil, errors.New("@ names no file; the text @ is written @@")
	case rest[0] == '@':
		return []byte(rest), nil
	}
	return read(rest)
}

func parseBool(text string) (any, error) {
	switch text {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, fmt.Errorf("%s is not a bool, which is true or false", show(text))
}

// parseInteger parses an integer in a base, 0 for that of its prefix.
func parseInteger(typ, text string, base int) (any, error) {
	n, ok := new(big.Int).SetString(text, base)
	if !ok {
		return nil, fmt.Errorf("%s is not %s, which is a whole number", show(text), withArticle(typ))
	}
	outside := func(low int64, high uint64) error {
		return fmt.Errorf("%s is out of range: %s is from %d to %d", clip(text), withArticle(typ), low, high)
	}
	switch typ {
	case typeInt32:
		if v := n.Int64(); n.IsInt64() && v >= math.MinInt32 && v <= math.MaxInt32 {
			return int32(v), nil
		}
		return nil, outside(math.MinInt32, math.MaxInt32)
	case typeUint32:
		if v := n.Uint64(); n.IsUint64() && v <= math.MaxUint32 {
			return uint32(v), nil
		}
		return nil, outside(0, math.MaxUint32)
	case typeInt64:
		if n.IsInt64() {
			return n.Int64(), nil
		}
		return nil, outside(math.MinInt64, math.MaxInt64)
	default:
		if n.IsUint64() {
			return n.Uint64(), nil
		}
		return nil, outside(0, math.MaxUint64)
	}
}

func parseFloat(typ, text string) (any, error) {
	bits := 64
	if typ == typeFloat32 {
		bits = 32
	}
	v, err := strconv.ParseFloat(text, bits)
	switch {
	case errors.Is(err, strconv.ErrRange) && bits == 32:
		return nil, fmt.Errorf("%s is out of range: a float32 is up to %g", clip(text), math.MaxFloat32)
	case errors.Is(err, strconv.ErrRange):
		return nil, fmt.Errorf("%s is out of range: a float64 is up to %g", clip(text), math.MaxFloat64)
	case err != nil:
		return nil, fmt.Errorf("%s is not a %s, which is a number such as 1.5 or 6e23", show(text), typ)
	case bits == 32:
		return float32(v), nil
	}
	return v, nil
}

// The floats that are no numbers, as JavaScript, Python and Protocol Buffers
// write them.
const (
	nan         = "NaN"
	infinity    = "Infinity"
	negInfinity = "-Infinity"
)

// special returns the name of a float that is no number, or "".
func special(v float64) string {
	switch {
	case math.IsNaN(v):
		return nan
	case math.IsInf(v, 1):
		return infinity
	case math.IsInf(v, -1):
		return negInfinity
	}
	return ""
}

// Format returns a value as people read it, and programs too: a number in
// decimal, with as many digits as tell it from all others; a string and bytes as
// they are; nothing for nil.
func Format(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	}
	if text, ok := ToJSON(v).(string); ok { // a float that is no number
		return text
	}
	text, _ := json.Marshal(v) // it can write all other numbers, and bool
	return string(text)
}

// show quotes what was typed, for an error message.
func show(text string) string { return strconv.Quote(clip(text)) }

// clip cuts a text that is too long for an error message.
func clip(text string) string {
	const most = 60
	if len(text) > most {
		return text[:most] + "..."
	}
	return text
}

func withArticle(typ string) string {
	if strings.HasPrefix(typ, "i") {
		return "an " + typ
	}
	return "a " + typ
}
