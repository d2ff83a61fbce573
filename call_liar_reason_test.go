package airlock_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
)

// TestLiarsAreFoundAtOnce: a lie is refused by the check that is for it, and not by a
// later one that happens to be in the way of what came of it.
func TestLiarsAreFoundAtOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ start, function, want string }{
		{"DeclareNothing", "Truth", "declaration:"},
		{"DeclareGarbage", "Truth", "declaration:"},
		{"DuplicateExport", "Truth", "declaration:"},
		{"OneTooMany", "Truth", "declaration:"},
		{"NextFirst", "Truth", "serves before it has declared"},
		{"ResultFirst", "Truth", "a result without a call"},
		{"LengthFirst", "Truth", "impossible length"},
		{"liarguest", "DeclareTwice", "declared twice"},
		{"liarguest", "Garbage", "result:"},
		{"liarguest", "GarbageLog", "log record:"},
		{"liarguest", "GarbageAbort", "abort:"},
		{"liarguest", "GarbageHostCall", "host function call:"},
		{"liarguest", "LengthMax", "impossible length"},
		{"liarguest", "LengthOver", "impossible length"},
	} {
		t.Run(row.start+" "+row.function, func(t *testing.T) {
			t.Parallel()
			sb, _ := liar(t, row.start, airlock.Options{MessageSize: 128 << 10})
			_, err := sb.Call(t.Context(), row.function)
			if !errors.Is(err, airlock.ErrProtocol) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("Call = %.300v, want %q", err, row.want)
			}
		})
	}
}
