package seccomp

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

var thisRuntime struct {
	mu    sync.Mutex
	known bool
	value Runtime
}

// FindRuntime returns what rules must know of the Go runtime of this process.
func FindRuntime() (Runtime, error) {
	r := &thisRuntime
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known {
		return r.value, nil
	}
	// The runtime makes its network poller when it is first wanted, which must not
	// be under a filter. A timer that is set wants it.
	time.AfterFunc(time.Hour, func() {}).Stop()
	value, err := findPoller("/proc/self")
	if err != nil {
		return Runtime{}, fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	value.PID = uint64(os.Getpid()) //nolint:gosec // G115: positive
	r.value, r.known = value, true
	return value, nil
}

// findPoller looks for the runtime's network poller among the descriptors. The
// runtime registers its eventfd with the address of the variable that holds the
// descriptor's number (netpollinit in runtime/netpoll_epoll.go), which no other
// entry has.
func findPoller(process string) (Runtime, error) {
	links, err := os.ReadDir(filepath.Join(process, "fd"))
	if err != nil {
		return Runtime{}, fmt.Errorf("look for the network poller: %w", err)
	}
	memory, err := os.Open(filepath.Join(process, "mem"))
	if err != nil {
		return Runtime{}, fmt.Errorf("look for the network poller: %w", err)
	}
	defer func() { _ = memory.Close() }()
	target := func(fd string) string {
		name, _ := os.Readlink(filepath.Join(process, "fd", fd)) // a descriptor that was closed meanwhile has none
		return name
	}
	for _, link := range links {
		if target(link.Name()) != "anon_inode:[eventpoll]" {
			continue
		}
		info, err := os.ReadFile(filepath.Join(process, "fdinfo", link.Name()))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(info)) {
			fd, data, ok := parseEpollEntry(line)
			if !ok || target(strconv.FormatUint(fd, 10)) != "anon_inode:[eventfd]" {
				continue
			}
			var word [8]byte
			if _, err := memory.ReadAt(word[:], int64(data)); err != nil { //nolint:gosec // G115: an address that isn't one can't be read
				continue
			}
			if binary.LittleEndian.Uint64(word[:]) != fd {
				continue
			}
			if epoll, err := strconv.ParseUint(link.Name(), 10, 31); err == nil {
				return Runtime{Epoll: epoll, Wake: fd}, nil
			}
		}
	}
	return Runtime{}, fmt.Errorf("no network poller among the descriptors in %s", process)
}

// parseEpollEntry reads a line of fdinfo of an epoll instance, as in proc(5):
// "tfd: 5 events: 19 data: 55d5c3 ...".
func parseEpollEntry(line string) (fd, data uint64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[0] != "tfd:" || fields[4] != "data:" {
		return 0, 0, false
	}
	fd, err := strconv.ParseUint(fields[1], 10, 31)
	if err != nil {
		return 0, 0, false
	}
	data, err = strconv.ParseUint(fields[5], 16, 63)
	return fd, data, err == nil
}
