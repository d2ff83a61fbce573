// Command plain has the functions of calls for those that Airlock is compared
// with: exported by a WebAssembly module, or served by a process that reads
// requests from a pipe. Plain.c is its twin.
package main

func echo(text string) string { return text }

func ask(text string) string { return askHost(text) }
