package wire

import (
	"bytes"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestRefusals(t *testing.T) {
	var reached [reasonCount]bool
	for _, r := range refusals() {
		t.Run(r.name, func(t *testing.T) {
			msg := r.bytes(t)
			if checkDecode(t, r.codec, msg) {
				t.Fatal("accepted")
			}
			_, err := r.codec.decode(msg)
			var e *Error
			if !errors.As(err, &e) || e.Reason != r.want || e.Path != r.path {
				t.Errorf("refused with: %v\nwant %v at %s\n%.2000x", err, r.want, r.path, msg)
			}
			if errors.Is(err, ErrTooLarge) != (r.want == ErrLength || r.want == ErrCount) {
				t.Errorf("%v: is ErrTooLarge: %v", err, errors.Is(err, ErrTooLarge))
			}
			reached[r.want] = true
		})
	}
	elsewhere := []Reason{ErrDepth, ErrTables, ErrVerifier, ErrMessageSize}
	for i := range reasonCount {
		r := Reason(i)
		if r == reasonInvalid {
			continue
		}
		if reached[r] == slices.Contains(elsewhere, r) {
			t.Errorf("%v: reached by a message: %v", r, reached[r])
		}
	}
}

// TestWrongKind gives every message to every other decoder.
func TestWrongKind(t *testing.T) {
	for _, from := range codecs() {
		msg := from.mustEncode(t, from.samples[0].value)
		for _, to := range codecs() {
			_, err := to.decode(msg)
			if from.msg == to.msg {
				continue
			}
			if !errors.Is(err, ErrIdentifier) || !strings.Contains(err.Error(), to.msg.name) {
				t.Errorf("%s read as %s: %v", from.msg.name, to.msg.name, err)
			}
		}
	}
}

// recursive is a kind of message that the schemas don't have: it nests without
// end. It shows the limits that are there in case they ever do.
func recursive() *message {
	node := &table{name: "Node"}
	node.fields = []field{{name: "nodes", form: formTables, table: node}}
	return &message{name: "nodes", id: "NODE", root: node}
}

// chain writes nodes, each in the list of the one before.
func chain(deep int) []byte {
	m := &damaged{append(make([]byte, 8), "NODE"...)}
	vtable := m.add(6, 0, 8, 0, 4, 0)
	hole := uint64(4)
	for range deep {
		node := m.add(0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0) // a table and its list of one
		m.set32(node, uint32(node-vtable))
		m.lead(hole, node)
		hole = node + 12
	}
	m.set32(hole-4, 0) // the last list is empty
	return m.msg
}

// fan writes a node with a list of n nodes.
func fan(n int) []byte {
	m := &damaged{chain(1)}
	list := m.add(append([]byte{byte(n), byte(n >> 8), 0, 0}, make([]byte, 4*n)...)...)
	m.lead(m.root().field(0), list)
	vtable := m.add(4, 0, 4, 0)
	for i := range uint64(n) {
		node := m.add(0, 0, 0, 0)
		m.set32(node, uint32(node-vtable))
		m.lead(list+4+4*i, node)
	}
	return m.msg
}

func TestDepthAndTables(t *testing.T) {
	m := recursive()
	for deep := 1; deep <= 20; deep++ {
		_, e := verify(chain(deep), m)
		if ok := deep <= maxDepth; ok != (e == nil) || !ok && e.Reason != ErrDepth {
			t.Errorf("depth %d: %v", deep, e)
		}
	}
	if _, e := verify(fan(maxTables-1), m); e != nil {
		t.Errorf("%d tables: %v", maxTables, e)
	}
	if _, e := verify(fan(maxTables), m); e == nil || e.Reason != ErrTables || e.Path != "nodes.nodes[4095]" {
		t.Errorf("%d tables: %v", maxTables+1, e)
	}
}

// TestDepthOfSchemas checks that no schema comes near the limit, and that none
// recurses.
func TestDepthOfSchemas(t *testing.T) {
	var depth func(tab *table, path []*table) int
	depth = func(tab *table, path []*table) int {
		if slices.Contains(path, tab) {
			t.Fatalf("table %s contains itself", tab.name)
		}
		deepest := 0
		for _, f := range tab.fields {
			for _, member := range append(slices.Clone(f.union), f.table) {
				if member != nil {
					deepest = max(deepest, depth(member, append(path, tab)))
				}
			}
		}
		return deepest + 1
	}
	for _, m := range allMessages {
		if d := depth(m.root, nil); d > maxDepth {
			t.Errorf("%s is %d tables deep, the limit is %d", m.name, d, maxDepth)
		}
	}
}

// TestVerifierHole checks the net: a reader that wants more than was verified
// makes an error of its own.
func TestVerifierHole(t *testing.T) {
	loose := message{name: "loose", id: callMessage.id, root: &table{name: "Loose", fields: make([]field, 2)}}
	for i := range loose.root.fields {
		loose.root.fields[i] = field{name: "any", form: formScalar32}
	}
	m := &damaged{callCodec.mustEncode(t, plainCall)}
	m.set32(m.root().field(1), math.MaxUint32)
	got, err := decode(m.msg, &loose, readCall)
	if !errors.Is(err, ErrVerifier) || !errors.Is(err, ErrMalformed) || !isZero(got) {
		t.Errorf("decode = %v, %v", got, err)
	}
	invalid := message{name: "invalid", id: callMessage.id, root: &table{name: "Invalid", fields: make([]field, 2)}}
	if _, err := decode(m.msg, &invalid, readCall); !errors.Is(err, ErrVerifier) {
		t.Errorf("a field without a form: %v", err)
	}
}

// TestMessageTooLong checks the limit of the format. The message is not touched,
// so it takes no memory.
func TestMessageTooLong(t *testing.T) {
	limit := MaxMessage
	if limit == math.MaxInt || testing.Short() {
		t.Skip("needs more than 2 GiB of address space and no -short")
	}
	_, err := DecodeCall(make([]byte, limit+1))
	if !errors.Is(err, ErrMessageSize) || !errors.Is(err, ErrTooLarge) {
		t.Errorf("decode: %v", err)
	}
	c := Call{Name: "f", Args: []Value{Bytes(make([]byte, MaxMessage))}}
	dst, err := AppendCall([]byte("x"), &c)
	if !errors.Is(err, ErrMessageSize) || !bytes.Equal(dst, []byte("x")) {
		t.Errorf("encode: %q, %v", dst, err)
	}
}
