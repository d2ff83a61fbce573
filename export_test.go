package airlock

// Trusted reports whether ring 0 of the snapshot is as the guest kernel made it.
func (snap *Snapshot) Trusted() bool { return snap.state.Trusted() }
