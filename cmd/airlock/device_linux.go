package main

import (
	"io/fs"
	"strconv"
	"syscall" //nolint:depguard // package fs gives a file's group only through it; no system call is made
)

// groupID returns the number of a file's group.
func groupID(info fs.FileInfo) (string, bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", false
	}
	return strconv.FormatUint(uint64(stat.Gid), 10), true
}
