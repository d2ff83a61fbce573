// Package wire turns function calls into messages and messages into function
// calls, in both directions between a host and a guest that must not be
// trusted.
//
// A message is a FlatBuffer of one of the schemas in abi/schema: a call, its
// result, an error, a log record, what a guest declares, what a host offers. It
// travels through a buffer that host and guest share. Whoever receives one
// copies it out of there once, with a length that was read once, and gives the
// private copy to a Decode function. That function verifies all of it against
// the schema, then reads it into plain Go values. Either both succeed, or there
// is an [*Error] and nothing else: there are no accessors for half-trusted
// bytes, and nothing is read before everything is verified.
//
// Both the host and guests written in Go use the package. It has no dependency
// and no state, and its functions may be called from any goroutine.
//
// # What is verified
//
// The size prefix is exactly the number of bytes behind it, and the identifier
// is that of the message. Every offset leads forwards to a place in the message
// that has the right alignment; every vtable, table, vector and text lies in the
// message as a whole; required fields are there; enumerations, bools and the
// types of unions are in range, and a union has a type and a value or neither;
// texts are UTF-8 and end with a NUL; names are not empty, lists not too long,
// and no function is listed twice. A table with a field that the schema doesn't
// have is refused, because the ABI version, which host and guest compare first,
// says what a peer understands.
//
// Nesting and the number of tables are limited, and so is work: each byte that
// is visited is taken from a budget of as many bytes as the message has. FlatBuffers
// may refer to one part from many places, so that a message of a few kilobytes
// could unfold to megabytes; with the budget it can't. What a message is decoded
// to takes at most four times its length and a few hundred bytes. Writers must
// therefore not share texts, vectors or tables. Sharing vtables is fine.
//
// # Memory
//
// Values of [KindBytes] that a Decode function returns are parts of the message
// that it was given; everything else is a copy. A caller that reuses the memory
// of messages uses [Value.Own] for bytes that live longer. Reading a message
// allocates its lists and texts, so that the result of a call that returns a
// string costs one allocation.
//
// The Append functions append a message to a slice, as append does, and allocate
// only to make it longer. The Put functions write a message to the start of a
// buffer, never allocate, and refuse a message that doesn't fit before they write
// any of it. The buffer may be shared memory: they write every byte of the
// message, padding too, and read none back, so that it doesn't matter what a
// guest does to the buffer at that time, and nothing that was in it before gets to
// the guest.
//
// Who has many calls of the same functions to write or to read uses a [Form] of
// each, and a [Reader]: these and the results of calls are then, as a rule, copied
// from a template or compared with one, in one piece.
//
// # Why not the generated code
//
// The FlatBuffers library for Go has no verifier, and accessors that flatc
// generates panic on bad offsets, or return texts of two billion bytes. Its
// builder allocates. So this package has a verifier, a reader and a writer of
// its own, of a few hundred lines, driven by the description in schema.go. The
// generated code, in fb, is what the tests compare them with: it is the second
// opinion on every message that they make, and only they import it. A test
// compares schema.go with the schemas.
package wire

//go:generate ./generate.sh
