package airlock_test
import ("testing";"time";"slices";"github.com/airlockvm/airlock")
func med(l []time.Duration) time.Duration { slices.Sort(l); return l[len(l)/2] }
func TestZZ(t *testing.T) {
	snap := newSnapshot(t, func(sb *airlock.Sandbox) { for range 20 { call[string](t, sb, "Echo", "x") } })
	t.Logf("size %d", snap.Size())
	sb := clone(t, snap)
	var plain, cr, rs, cl, nw []time.Duration
	for range 500 { s := time.Now(); call[string](t, sb, "Echo", "x"); plain = append(plain, time.Since(s)) }
	for range 500 { s := time.Now(); call[string](t, sb, "Echo", "x"); a := time.Now(); if err := sb.Restore(t.Context(), snap); err != nil { t.Fatal(err) }; cr = append(cr, time.Since(s)); rs = append(rs, time.Since(a)) }
	for range 100 { s := time.Now(); c, err := snap.New(t.Context(), airlock.Options{HostFuncs: snapHosts()}); if err != nil { t.Fatal(err) }; nw = append(nw, time.Since(s)); call[string](t, c, "Echo", "x"); cl = append(cl, time.Since(s)); c.Close(); time.Sleep(2*time.Millisecond) }
	t.Logf("plain %v call+restore %v restore %v  clone new %v to answer %v", med(plain), med(cr), med(rs), med(nw), med(cl))
}
