/*
 * What the files of this guest have in common: each has a list of functions,
 * and main.c exports them all.
 */
#ifndef GUEST_H
#define GUEST_H

#include "airlock_guest.h"

/* Functions that one file exports. */
struct exports {
	const struct airlock_function *list;
	size_t count;
};

extern const struct exports value_exports, host_exports, failure_exports, language_exports;

/* All functions of the host that are needed: host.c. */
extern const struct airlock_import *const imports[];
extern const size_t import_count;

/*
 * Calls a function of the host. What it returns lives until the next call. If it
 * fails, so does the call that this is in, as a Go guest's would that returned
 * the error, and the result is false.
 */
bool ask(struct airlock_call *call, const struct airlock_import *function, const struct airlock_value *arguments,
         struct airlock_value *result);

/*
 * Calls a function of the host, and returns its error as a string: what a Go
 * guest makes of one with fmt.Sprint.
 */
struct airlock_string failure(const struct airlock_import *function, const struct airlock_value *arguments);

#endif
