//go:build !darwin && !linux

package ocilayout

import (
	"errors"
	"os"
)

// Stand-ins where there are no sandboxes to take snapshots of: reading works.

const openFlags = 0

func tryLock(*os.File) (bool, error) { return false, errors.ErrUnsupported }

func syncDir(*os.Root, string) error { return nil }
