package airlock

// Trusted reports whether ring 0 of the snapshot is as the guest kernel made it.
func (snap *Snapshot) Trusted() bool { return snap.state.Trusted() }

// Difference says in what two snapshots differ, apart from what the host tells
// the guest at each restore. It is empty if in nothing.
func Difference(a, b *Snapshot) string { return a.state.Difference(b.state) }
