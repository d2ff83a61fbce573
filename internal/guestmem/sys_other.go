//go:build !linux

package guestmem

import (
	"errors"
	"os"
)

// Stand-ins for the system calls where there are no machines to give memory to.

var errPlatform = errors.New("guestmem: guest memory needs Linux")

func reserve(int) ([]byte, int, error)                { return nil, 0, errPlatform }
func release([]byte) error                            { return errPlatform }
func mapFile([]byte, int, uint64) error               { return errPlatform }
func mapZero([]byte) error                            { return errPlatform }
func viewFile(int, uint64) ([]byte, error)            { return nil, errPlatform }
func present([]byte, []uint64) error                  { return errPlatform }
func discard([]byte) error                            { return errPlatform }
func preferLarge([]byte) error                        { return errPlatform }
func populate([]byte) error                           { return errPlatform }
func sealedFile(string, uint64, []Piece) (int, error) { return -1, errPlatform }
func duplicate(*os.File) (int, error)                 { return -1, errPlatform }
func closeFile(int) error                             { return errPlatform }
