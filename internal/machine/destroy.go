package machine

import "errors"

// Ending a virtual machine takes the kernel several times as long as making
// one's next call would: it waits until no processor can be looking at it any
// more. Nobody needs to wait with it, within reason.

// maxDying is how many machines may be on their way out while their closers
// have gone on.
const maxDying = 8

// dying has an entry for each machine that is being destroyed in the background.
var dying = make(chan struct{}, maxDying)

// destroyLater destroys the machine in the background, or here and now when
// many are dying already.
func (m *Machine) destroyLater() error {
	select {
	case dying <- struct{}{}:
		go func() {
			// An error means a descriptor or an address that isn't ours: leaks are what
			// tests look for, and there is nobody to tell.
			_ = m.destroy()
			<-dying
		}()
		return nil
	default:
		return m.destroy()
	}
}

// destroy gives back what the kernel holds for the machine.
func (m *Machine) destroy() error {
	var errs []error
	if m.vcpu != nil {
		errs = append(errs, m.vcpu.Close())
	}
	if m.vm != nil {
		errs = append(errs, m.vm.Close())
	}
	if m.memory != nil {
		errs = append(errs, m.memory.Close())
	}
	return errors.Join(errs...)
}
