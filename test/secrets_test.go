package test

import (
	le "encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/wire"
)

// tenants are uses of the guest call_secrets: it leaves secrets, or looks for
// those of the use before.
type tenants struct {
	random *rand.Rand
	drawn  map[string]bool
	clock  uint64 // of the last look
}

// armedSecrets makes a snapshot of the guest, standing behind the hypercall with
// which it has asked for its next call.
func armedSecrets(t *testing.T, v *victim) *airlock.Snapshot {
	t.Helper()
	message, err := wire.AppendResult(nil, &wire.Result{Value: wire.String("armed")})
	if err != nil {
		t.Fatal(err)
	}
	v.out = newOutput()
	sb := create(t, guest(t, "hostile-call_secrets"), v.options(header{memory: 32 << 20}))
	v.use(sb)
	call := "arm " + hex.EncodeToString(message)
	if got, err := airlock.Call[string](t.Context(), sb, "Attack", call); got != "armed" || err != nil {
		t.Fatalf("%q, %v\n%s", got, err, v.out)
	}
	snap, err := sb.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// leave lets the guest leave a secret.
func (u *tenants) leave(t *testing.T, to airlock.Callee) uint64 {
	t.Helper()
	secret := u.random.Uint64() | 1<<63 | 1<<7
	got, err := airlock.Call[string](t.Context(), to, "Attack", fmt.Sprintf("LEAVE %016x", secret))
	if got != "armed" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	return secret
}

// look lets the guest look for a secret, and returns what there is of it.
func (u *tenants) look(t *testing.T, to airlock.Callee, secret uint64) string {
	t.Helper()
	const mask = 0x5555aaaa3333cccc
	text := fmt.Sprintf("%016x", secret)
	question := "LOOK"
	for _, word := range []uint64{
		secret, secret & 0x7fffffffffffffff, secret & 0x7fffffffffff, secret >> 8 & 0x7fffffffffff,
		le.LittleEndian.Uint64([]byte(text)), le.LittleEndian.Uint64([]byte(text[8:])),
	} {
		question += fmt.Sprintf(" %016x", word^mask)
	}
	got, err := airlock.Call[string](t.Context(), to, "Attack", question)
	if err != nil {
		t.Fatal(err)
	}
	now, drawn := uint64(0), ""
	if _, err := fmt.Sscan(strings.Replace(got, " ", "\n", 1), &now, &drawn); err != nil {
		t.Fatalf("%q: %v", got, err)
	}
	_, there, _ := strings.Cut(got, drawn)
	if now < u.clock {
		t.Errorf("the clock went back from %d to %d", u.clock, now)
	}
	if u.drawn[drawn] {
		t.Errorf("%s was drawn before", drawn)
	}
	u.clock, u.drawn[drawn] = now, true
	attacks.add("secrets after a restore", 1, "nothing found")
	return strings.TrimSpace(there)
}

func newTenants() *tenants {
	return &tenants{random: rand.New(rand.NewPCG(2, 3)), drawn: map[string]bool{}}
}

// everywhere is where the guest finds a secret that nobody has removed, beside
// memory.
const everywhere = "general fs gs redzone vectors mxcsr x87 mask pending handler altstack itimer timer descriptors offset brk thread name"

// TestSecretsStay shows that the guest finds what it leaves: without a restore,
// all of it is still there.
func TestSecretsStay(t *testing.T) {
	var v victim
	snap := armedSecrets(t, &v)
	defer snap.Close() //nolint:errcheck // checked elsewhere
	u := newTenants()
	places, names, _ := strings.Cut(u.look(t, v.sandbox, u.leave(t, v.sandbox)), " ")
	n := 0
	if _, err := fmt.Sscan(places, &n); err != nil || n < 200000 {
		t.Errorf("the secret is in memory %s times", places)
	}
	if names != everywhere {
		t.Errorf("it is in  %s\nand not in %s", names, everywhere)
	}
}

// TestSecretsRestored: a restore leaves nothing of a secret, wherever it was, and
// whether the guest ran on a thread of its own or not.
func TestSecretsRestored(t *testing.T) {
	for name, spin := range map[string]time.Duration{"plain": 0, "hot": airlock.SpinAlways} {
		t.Run(name, func(t *testing.T) { testSecretsRestored(t, &victim{spin: spin}) })
	}
}

func testSecretsRestored(t *testing.T, v *victim) {
	t.Helper()
	snap := armedSecrets(t, v)
	defer snap.Close() //nolint:errcheck // checked elsewhere
	u := newTenants()
	clone, err := snap.New(t.Context(), v.options(header{memory: 32 << 20}))
	if err != nil {
		t.Fatal(err)
	}
	defer clone.Close() //nolint:errcheck // checked elsewhere
	for round := range 4 {
		for _, sb := range []*airlock.Sandbox{v.sandbox, clone} {
			secret := u.leave(t, sb)
			if err := sb.Restore(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
			if found := u.look(t, sb, secret); found != "0" {
				t.Errorf("round %d: found: %s", round, found)
			}
			if err := sb.Restore(t.Context(), snap); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSecretsPool: the next user of a pool finds nothing of the one before.
func TestSecretsPool(t *testing.T) {
	var v victim
	snap := armedSecrets(t, &v)
	defer snap.Close() //nolint:errcheck // checked elsewhere
	pool, err := airlock.NewPool(t.Context(), snap, airlock.PoolOptions{Size: 1, Sandbox: v.options(header{memory: 32 << 20})})
	if err != nil {
		t.Fatal(err)
	}
	u := newTenants()
	for round := range 4 {
		if found := u.look(t, pool, u.leave(t, pool)); found != "0" {
			t.Errorf("round %d: found: %s", round, found)
		}
	}
	if err := pool.Close(); err != nil {
		t.Error(err)
	}
}
