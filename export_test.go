package airlock

// Difference says in what two snapshots differ, apart from what the host tells
// the guest at each restore. It is empty if in nothing.
func Difference(a, b *Snapshot) string { return a.state.Difference(b.state) }
