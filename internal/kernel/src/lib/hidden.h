/*
 * Included before everything else: no symbol leaves the image, so that the
 * compiler reaches all of them relative to RIP and needs no global offset
 * table.
 */
#pragma GCC visibility push(hidden)
