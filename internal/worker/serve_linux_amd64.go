package worker

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/airlockvm/airlock/internal/seccomp"
	"github.com/airlockvm/airlock/internal/wire"
)

// Name returns what this process is to serve, if it is a worker.
func Name() (string, bool) {
	if len(os.Args) > 1 && os.Args[0] == arg0 {
		return os.Args[1], true
	}
	return "", false
}

// Serve makes the process a worker: it takes a filter on, of the rules that allow
// returns and those that a process needs, and answers calls until the
// application closes its pipe. It does not return.
func Serve(allow func(seccomp.Runtime) ([]seccomp.Rule, error), handle func(*wire.Call) wire.Result) {
	var err error
	if len(os.Args) > 2 && os.Args[2] == firstLife {
		err = fence()
	}
	if err == nil {
		err = confine(allow)
	}
	if err != nil {
		text := append([]byte{statusFailed}, err.Error()...)
		_, _ = unix.Write(readyFD, text[:min(len(text), 1000)])
		unix.Exit(1)
	}
	calls := bufio.NewReader(pipe(callsFD))
	var in, out []byte
	for {
		var err error
		if in, err = readMessage(calls, in, MaxMessage); err != nil {
			unix.Exit(0) // the application has ended, or doesn't need it any more
		}
		call, err := wire.DecodeCall(in)
		if err != nil {
			unix.Exit(1)
		}
		result := handle(&call)
		if out, err = wire.AppendResultWithin(out[:0], &result, MaxMessage); err != nil {
			result = tooLarge()
			if out, err = wire.AppendResult(out[:0], &result); err != nil {
				unix.Exit(1)
			}
		}
		if _, err := pipe(resultsFD).Write(out); err != nil {
			unix.Exit(1)
		}
	}
}

// confine takes from the process what it doesn't need.
func confine(allow func(seccomp.Runtime) ([]seccomp.Rule, error)) error {
	// Others of this user can't look into it, nor it be dumped.
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("prctl(PR_SET_DUMPABLE): %w", err)
	}
	// Go adapts to changes of its control group by reading files, unless the number
	// was set.
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	seccomp.LoadShared()
	process, err := seccomp.FindRuntime()
	if err != nil {
		return err
	}
	if err := limit(); err != nil {
		return err
	}
	if err := closeOthers(process); err != nil {
		return err
	}
	// The filter's descriptor will be the lowest that is free.
	free, err := unix.Dup(readyFD)
	if err != nil {
		return fmt.Errorf("dup: %w", err)
	}
	_ = unix.Close(free)
	rules, err := allow(process)
	if err != nil {
		return err
	}
	talk := seccomp.Talk{Read: callsFD, Write: resultsFD, Ready: readyFD, Filter: free}
	rules = append(append(rules, seccomp.Base(process)...), seccomp.Process(process, talk)...)
	program, err := seccomp.Compile(rules)
	if err != nil {
		return err
	}
	filter, err := seccomp.ConfineProcess(program)
	if err != nil {
		return err
	}
	if filter != free {
		return fmt.Errorf("the filter's descriptor is %d instead of %d", filter, free)
	}
	if err := unix.Sendmsg(readyFD, []byte{statusReady}, unix.UnixRights(filter), nil, 0); err != nil {
		return fmt.Errorf("sendmsg: %w", err)
	}
	return errors.Join(unix.Close(filter), unix.Close(readyFD))
}

// more is how many bytes of memory a worker may take beyond what it has.
const more = 1 << 30

// limit bounds what the process may use.
func limit() error {
	used, err := dataSize()
	if err != nil {
		return err
	}
	for resource, value := range map[int]uint64{
		unix.RLIMIT_CORE: 0, unix.RLIMIT_NOFILE: 64, unix.RLIMIT_DATA: used + more,
	} {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: value, Max: value}); err != nil {
			return fmt.Errorf("setrlimit(%d): %w", resource, err)
		}
	}
	return nil
}

// dataSize returns the size of the process's private memory that it may write.
func dataSize() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, line, _ := bytes.Cut(status, []byte("\nVmData:"))
	if fields := bytes.Fields(line); len(fields) > 0 {
		kilobytes, err := strconv.ParseUint(string(fields[0]), 10, 50)
		return kilobytes << 10, err
	}
	return 0, fmt.Errorf("no VmData in /proc/self/status")
}

// closeOthers closes all descriptors but stdin, stdout, stderr, those to talk by, and
// those of Go's network poller: what the application was started with, or has
// opened before it came here.
func closeOthers(process seccomp.Runtime) error {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range list {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || fd <= readyFD || uint64(fd) == process.Epoll || uint64(fd) == process.Wake {
			continue
		}
		_ = unix.Close(fd) // that of the directory is closed already
	}
	return nil
}
