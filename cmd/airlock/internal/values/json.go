package values

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// DecodeList reads one JSON array. Its values are for FromJSON.
func DecodeList(text []byte) ([]any, error) {
	if !utf8.Valid(text) {
		return nil, errors.New("it is not UTF-8, which JSON is")
	}
	var decoded any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // a float64 would not hold all int64
	switch err := decoder.Decode(&decoded); {
	case errors.Is(err, io.EOF):
		return nil, errors.New("it is empty")
	case err != nil:
		return nil, err
	}
	if err := decoder.Decode(new(any)); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows its end")
	}
	list, ok := decoded.([]any)
	if !ok {
		return nil, fmt.Errorf("it is %s", kindOf(decoded))
	}
	return list, nil
}

// FromJSON makes a value of a type from one of a list that DecodeList returned:
//
//   - an integer from a number without fraction and exponent;
//   - a float from a number, or from "NaN", "Infinity" or "-Infinity";
//   - bytes from a string in base64, as encoding/json has it;
//   - a bool and a string from themselves.
func FromJSON(typ string, decoded any) (any, error) {
	switch typ {
	case typeInt32, typeUint32, typeInt64, typeUint64:
		if number, ok := decoded.(json.Number); ok {
			return parseInteger(typ, number.String(), 10)
		}
		return nil, fmt.Errorf("%s is not %s, which is a whole number", kindOf(decoded), withArticle(typ))
	case typeFloat32, typeFloat64:
		if number, ok := decoded.(json.Number); ok {
			return parseFloat(typ, number.String())
		}
		if text, _ := decoded.(string); text == nan || text == infinity || text == negInfinity {
			return parseFloat(typ, text)
		}
		return nil, fmt.Errorf(`%s is not a %s, which is a number, "NaN", "Infinity" or "-Infinity"`, kindOf(decoded), typ)
	case typeBool:
		if v, ok := decoded.(bool); ok {
			return v, nil
		}
		return nil, fmt.Errorf("%s is not a bool, which is true or false", kindOf(decoded))
	case typeString:
		if v, ok := decoded.(string); ok {
			return v, nil
		}
		return nil, fmt.Errorf("%s is not a string", kindOf(decoded))
	case typeBytes:
		text, ok := decoded.(string)
		if !ok {
			return nil, fmt.Errorf("%s is not bytes, which are a string in base64", kindOf(decoded))
		}
		content, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("%s is not base64, as bytes are: %w", show(text), err)
		}
		return content, nil
	}
	return nil, UnknownTypeError(typ)
}

// ToJSON returns what encoding/json makes of a value what FromJSON reads; for
// nil it makes null.
func ToJSON(v any) any {
	switch v := v.(type) {
	case float32:
		if text := special(float64(v)); text != "" {
			return text
		}
	case float64:
		if text := special(v); text != "" {
			return text
		}
	case []byte:
		if v == nil {
			return []byte{} // which is no null
		}
	}
	return v
}

// kindOf says what a JSON value is.
func kindOf(decoded any) string {
	switch decoded.(type) {
	case bool:
		return "a JSON boolean"
	case json.Number:
		return "a JSON number"
	case string:
		return "a JSON string"
	case []any:
		return "a JSON array"
	case map[string]any:
		return "a JSON object"
	}
	return "null"
}
