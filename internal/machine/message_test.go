package machine

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestWriteMessage: whatever was written before, a message is in guest memory as a
// whole, although a first line that was there already isn't written again.
func TestWriteMessage(t *testing.T) {
	m := hollow(t)
	random := rand.New(rand.NewPCG(1, 2))
	got := make([]byte, 200)
	repeated := 0
	for round := range 2000 {
		message := make([]byte, random.IntN(len(got)+1))
		for i := range message {
			message[i] = byte(random.IntN(2) * random.IntN(2) * random.IntN(2)) // like the last one, now and then
		}
		if random.IntN(2) == 0 && len(message) > 0 {
			clear(message[:len(message)-1])
		}
		switch random.IntN(20) {
		case 0:
			if _, err := m.PutMessage(func(b []byte) (int, error) { return copy(b, message), nil }); err != nil {
				t.Fatal(err)
			}
		case 1: // as Restore does it
			if err := m.memory.CopyIn(m.boot.InputGPA, bytes.Repeat([]byte{0xff}, len(got))); err != nil {
				t.Fatal(err)
			}
			m.forget()
			fallthrough
		default:
			if err := m.WriteMessage(message); err != nil {
				t.Fatal(err)
			}
		}
		if m.sent.repeated {
			repeated++
		}
		if err := m.memory.CopyOut(got[:len(message)], m.boot.InputGPA); err != nil || !bytes.Equal(got[:len(message)], message) {
			t.Fatalf("round %d: %x, %v; want %x", round, got[:len(message)], err, message)
		}
	}
	if repeated < 100 {
		t.Errorf("%d of the messages began like the one before", repeated)
	}
}
