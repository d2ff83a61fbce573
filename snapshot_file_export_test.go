package airlock

// Trusted reports whether restoring to the snapshot can be quick.
func (snap *Snapshot) Trusted() bool { return snap.state.Trusted() }
