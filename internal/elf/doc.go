// Package elf turns the bytes of a guest program into a checked plan for
// loading it, before any virtual machine exists.
//
// A guest is a static Linux executable for x86-64: what "CGO_ENABLED=0 go
// build", "gcc -static", "gcc -static-pie" or Rust with crt-static produce. The
// file comes from someone who is not trusted, so every byte of it is hostile
// until [Parse] has looked at it. Parse reads the file header, then the program
// headers, and refuses whatever the loader could not place safely: ranges
// outside the file, addresses outside the guest's part of the address space,
// sums that wrap, segments that share a page, pages that would be both writable
// and executable, an entry point that is not code. What it returns, an [Image],
// is a plan that needs no further checks: its segments are sorted, lie on
// disjoint pages inside the caller's [Limits], and carry slices of the file that
// are known to exist.
//
// A refusal is a [*FormatError]. Its [Reason] is for programs, to be matched
// with errors.Is; its text is for the person who built the guest, and says what
// is wrong, where, and which build flag cures it.
//
// # Position-independent executables
//
// A static PIE is placed by adding one bias to all of its addresses. Its
// relocations are not applied here: the start-up code of glibc, musl and Rust
// relocates the program itself, inside the VM, so the host never has to
// interpret a relocation table that the guest wrote.
//
// # Symbols and notes
//
// The symbol table and the notes serve people (a fault report that names a
// function) and later versions (a note that states the ABI version). Nothing
// about loading depends on them, so a file whose section headers are garbage or
// stripped is as good as any other: it has no symbols. They are read on demand,
// with bounded work, and the names in them are capped and made printable.
//
// # Why not debug/elf
//
// The standard library's package is written for files that a developer trusts,
// and its documentation says that it is not hardened against adversarial input.
// The tests use it as an independent second opinion.
package elf
