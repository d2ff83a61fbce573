package airlock

import "context"

// Difference says in what two snapshots differ, apart from what the host tells
// the guest at each restore. It is empty if in nothing.
func Difference(a, b *Snapshot) string { return a.state.Difference(b.state) }

// Capture is [Sandbox.Snapshot] without a word to the guest, which would change it.
func Capture(ctx context.Context, sb *Sandbox) (*Snapshot, error) {
	return sb.capture(ctx, func(*serving, context.Context) (refused, fatal error) { return nil, nil })
}
