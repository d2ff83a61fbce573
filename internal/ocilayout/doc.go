// Package ocilayout reads and writes OCI image layouts: directories of files
// that are named by the digest of their content, with an index of tags.
//
// Writers may come and go at the same time, and readers always find an index
// whose blobs are all there: blobs are complete before they get their name, the
// index is replaced as a whole, by one writer at a time, and nothing is deleted.
//
// Whoever can write to the directory is not trusted. Nothing outside of it is
// ever opened, nothing but regular files is read, and sizes are bounded before
// there is memory for them.
package ocilayout
