package snapfile

import (
	"slices"
	"strings"
)

// Host is what guests get of a processor.
type Host struct {
	CPU
	XCR0 uint64
}

// componentNames are those of the bits of XCR0.
var componentNames = []string{2: "avx", 5: "avx512 (masks)", 6: "avx512 (upper halves)", 7: "avx512 (upper registers)"}

// Fits refuses a snapshot whose guest may rely on what this host doesn't have.
func (c *Config) Fits(host *Host) error {
	var missing []string
	for _, f := range c.CPU.Features {
		if !slices.Contains(host.Features, f) {
			missing = append(missing, f)
		}
	}
	if len(missing) > 0 {
		return incompatible("this processor, or what KVM passes on of it, lacks %s, which the guest may be using: take the snapshot on a machine like the oldest that it is for",
			list(missing))
	}
	if extra := uint64(c.Registers.XCR0) &^ host.XCR0; extra != 0 {
		return incompatible("it has extended state (XCR0 %#x) that this host does not offer (%#x)", uint64(c.Registers.XCR0), host.XCR0)
	}
	for _, p := range c.CPU.XSave {
		// Intel and AMD place AVX-512 differently, and so the guest's threads have it in
		// memory.
		if !slices.Contains(host.XSave, p) {
			return incompatible("the registers of %s are saved in another place by this processor", componentNames[p.Number])
		}
	}
	return nil
}

func list(names []string) string {
	const most = 20
	if n := len(names); n > most {
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}
