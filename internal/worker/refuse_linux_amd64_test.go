package worker

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/seccomp"
)

// TestRefuse: which refused system call is a worker's last.
func TestRefuse(t *testing.T) {
	getuid, clone3 := seccomp.Denial{Nr: unix.SYS_GETUID}, seccomp.Denial{Nr: unix.SYS_CLONE3}
	for _, row := range []struct {
		name   string
		p      *Process
		denial seccomp.Denial
		errno  unix.Errno
		last   bool
		noted  bool
	}{
		{"in a call", &Process{calling: true}, getuid, unix.EPERM, false, true},
		{"between calls", &Process{}, getuid, unix.EPERM, true, true},
		{"where one is enough", &Process{calling: true, kill: true}, getuid, unix.EPERM, true, true},
		{"the last but one", &Process{calling: true, refused: maxRefused - 1}, getuid, unix.EPERM, false, true},
		{"one too many", &Process{calling: true, refused: maxRefused}, getuid, unix.EPERM, true, true},
		{"clone3", &Process{calling: true}, clone3, unix.ENOSYS, false, false},
		{"clone3 between calls", &Process{}, clone3, unix.ENOSYS, false, false},
		{"clone3 where one is enough", &Process{kill: true}, clone3, unix.ENOSYS, false, false},
		{"clone3 too often", &Process{calling: true, refused: maxRefused}, clone3, unix.ENOSYS, true, false},
	} {
		p, before := row.p, row.p.refused
		errno, last := p.refuse(row.denial)
		if errno != row.errno || last != row.last || (p.denied != nil) != row.noted || p.refused != before+1 {
			t.Errorf("%s: %v, last %v, noted %+v, %d refused", row.name, errno, last, p.denied, p.refused)
		}
		if p.Usable() == last { // no call may be given to one that is about to be killed
			t.Errorf("%s: usable %v, last %v", row.name, p.Usable(), last)
		}
	}
	// The first is the one to tell of.
	p := &Process{calling: true}
	_, _ = p.refuse(getuid)
	_, _ = p.refuse(seccomp.Denial{Nr: unix.SYS_GETGID})
	if p.denied == nil || p.denied.Nr != unix.SYS_GETUID {
		t.Errorf("noted %+v", p.denied)
	}
}
