// Signals sent to the own process reach os/signal; SIGURG noise disturbs nobody.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func expect(c <-chan os.Signal, want os.Signal) {
	select {
	case got := <-c:
		check.Equal(got, want)
	case <-time.After(50 * time.Second):
		check.That(false, "%v did not arrive", want)
	}
}

func main() {
	self := syscall.Getpid()
	usr := make(chan os.Signal, 1)
	signal.Notify(usr, syscall.SIGUSR1, syscall.SIGUSR2)
	for range 200 {
		check.OK(syscall.Kill(self, syscall.SIGUSR1))
		expect(usr, syscall.SIGUSR1)
		check.OK(syscall.Kill(self, syscall.SIGURG)) // looks like a preemption request
	}
	check.OK(syscall.Tgkill(self, syscall.Gettid(), syscall.SIGUSR2))
	expect(usr, syscall.SIGUSR2)

	urgent := make(chan os.Signal, 1)
	signal.Notify(urgent, syscall.SIGURG)
	check.OK(syscall.Kill(self, syscall.SIGURG))
	expect(urgent, syscall.SIGURG)
	signal.Stop(urgent)

	signal.Ignore(syscall.SIGTERM)
	check.That(signal.Ignored(syscall.SIGTERM), "SIGTERM is not ignored")
	check.OK(syscall.Kill(self, syscall.SIGTERM))

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGHUP)
	check.OK(syscall.Kill(self, syscall.SIGHUP))
	<-ctx.Done()
	stop()

	check.Equal(syscall.Kill(self, 0), nil)
	check.Equal(syscall.Kill(self, 1000), error(syscall.EINVAL))
	proc, err := os.FindProcess(self)
	check.OK(err)
	check.OK(proc.Signal(syscall.SIGUSR1))
	expect(usr, syscall.SIGUSR1)
	check.Success()
}
