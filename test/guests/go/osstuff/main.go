// Files that do not exist give ErrNotExist; identity calls and the working directory answer.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	const missing = "/no/such/file"
	_, err := os.Open(missing)
	check.That(errors.Is(err, fs.ErrNotExist), "Open: %v", err)
	_, err = os.Stat(missing)
	check.That(errors.Is(err, fs.ErrNotExist), "Stat: %v", err)
	_, err = os.Lstat(missing)
	check.That(errors.Is(err, fs.ErrNotExist), "Lstat: %v", err)
	_, err = os.ReadDir(missing)
	check.That(errors.Is(err, fs.ErrNotExist), "ReadDir: %v", err)
	_, err = os.Create(missing)
	check.That(err != nil, "Create worked")
	check.That(os.Mkdir(missing, 0o700) != nil, "Mkdir worked")
	check.That(os.Remove(missing) != nil, "Remove worked")
	if self, err := os.ReadFile("/proc/self/exe"); err == nil {
		check.Equal(string(self[:4]), "\x7fELF")
	}

	check.That(os.Getpid() > 0, "pid %d", os.Getpid())
	check.That(os.Getppid() >= 0, "ppid %d", os.Getppid())
	check.That(os.Getuid() >= 0 && os.Geteuid() == os.Getuid(), "uid %d, euid %d", os.Getuid(), os.Geteuid())
	check.That(os.Getgid() >= 0 && os.Getegid() == os.Getgid(), "gid %d, egid %d", os.Getgid(), os.Getegid())
	name, err := os.Hostname()
	check.OK(err)
	check.That(name != "", "the host name is empty")
	dir, err := os.Getwd()
	check.OK(err)
	check.That(dir[0] == '/', "working directory %q", dir)
	check.That(os.Getpagesize() == 4096, "page size %d", os.Getpagesize())
	check.That(runtime.NumCPU() >= 1, "%d CPUs", runtime.NumCPU())

	var uts syscall.Utsname
	check.OK(syscall.Uname(&uts))
	check.Equal(uts.Sysname[0], 'L') // Linux
	var limit syscall.Rlimit
	check.OK(syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	check.That(limit.Cur >= 64, "only %d file descriptors", limit.Cur)
	var info syscall.Sysinfo_t
	check.OK(syscall.Sysinfo(&info))
	check.That(info.Totalram > 0, "no memory")
	check.OK(os.Setenv("KEY", "value"))
	check.Equal(os.ExpandEnv("$KEY"), "value")
	check.Success()
}
