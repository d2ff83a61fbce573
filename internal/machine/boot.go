package machine

import (
	"fmt"
	"strings"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/kvm"
)

// initialXSave is the extended state of a processor after reset: all components
// in their initial state, and MXCSR, which has none, as Linux sets it.
var initialXSave = func() (x kvm.XSave) {
	x[0], x[1] = 0x7f, 0x03 // FCW
	x[24], x[25] = 0x80, 0x1f
	useLegacy(&x)
	return x
}()

// useLegacy makes KVM take the registers of x87 and SSE from the state. Without a
// component that uses it KVM leaves MXCSR as it was, where the processor has no XSAVEC.
func useLegacy(x *kvm.XSave) {
	const inUse, x87, sse = 512, 1, 2 // XSTATE_BV, SDM volume 1, "XSAVE Header"
	x[inUse] |= x87 | sse
}

// Start is what a guest is started with.
type Start struct {
	// Args and Env are the program's arguments, from number 0 on, and environment.
	Args, Env []string
	// Seed is randomness that no other boot gets.
	Seed [32]byte
	// Serve tells the program that its functions will be called.
	Serve bool
}

// Boot puts the guest at its start, after New or Reset.
func (m *Machine) Boot(start Start) error {
	var text []byte
	for _, list := range [][]string{start.Args, start.Env} {
		for _, s := range list {
			if strings.IndexByte(s, 0) >= 0 {
				return fmt.Errorf("machine: an argument or environment string has a zero byte: %.40q", s)
			}
			text = append(append(text, s...), 0)
		}
	}
	if err := m.warm(); err != nil {
		return err
	}
	if err := m.WriteMessage(text); err != nil {
		return fmt.Errorf("machine: %d bytes of arguments and environment are more than the input buffer's %d",
			len(text), m.boot.InputSize)
	}
	b := m.boot
	b.ArgumentCount = uint32(len(start.Args))   //nolint:gosec // G115: less than the bytes of them
	b.EnvironmentCount = uint32(len(start.Env)) //nolint:gosec // G115: less than the bytes of them
	b.ArgumentBytes = uint32(len(text))         //nolint:gosec // G115: at most MaxMemory
	b.Seed = start.Seed
	if start.Serve {
		b.Flags |= abi.BootServe
	}
	if err := m.memory.CopyIn(abi.ControlGPA+abi.ControlOffsetBoot, abi.Bytes(&b)); err != nil {
		return err
	}
	return m.clock.start(m.tscKHz)
}
