package airlock

import (
	"testing"

	"github.com/airlockvm/airlock/internal/wire"
)

// TestAnnounceNobody: a guest is told of a snapshot only if its function for that takes
// and returns nothing: any other is not what the SDKs export, and is left alone. There is
// no machine here that could be told.
func TestAnnounceNobody(t *testing.T) {
	t.Parallel()
	for name, exports := range map[string][]wire.Function{
		"no function": {{Name: "snapshot"}},
		"a parameter": {{Name: wire.FunctionSnapshot, Params: []wire.Kind{wire.KindInt32}}},
		"a result":    {{Name: wire.FunctionSnapshot, Return: wire.KindString}},
		"one of each": {{Name: wire.FunctionSnapshot, Params: []wire.Kind{wire.KindBool}, Return: wire.KindBool}},
		"nothing":     nil,
	} {
		s := &serving{}
		for i := range exports {
			if exports[i].Return == wire.KindInvalid {
				exports[i].Return = wire.KindVoid
			}
		}
		s.adopt(wire.Declaration{Exports: exports})
		if refused, fatal := s.announce(t.Context()); refused != nil || fatal != nil {
			t.Errorf("%s: %v, %v", name, refused, fatal)
		}
	}
}
