// Without sockets and processes net and os/exec give errors at once, they do not hang.
// want: exit 0
// stdout: SUCCESS
// native: no
package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

func main() {
	start := time.Now()
	_, err := net.Dial("tcp", "127.0.0.1:1")
	check.That(errors.Is(err, syscall.EACCES), "Dial tcp: %v", err)
	_, err = net.Dial("udp", "127.0.0.1:1")
	check.That(errors.Is(err, syscall.EACCES), "Dial udp: %v", err)
	_, err = net.Dial("unix", "/run/x")
	check.That(errors.Is(err, syscall.EACCES), "Dial unix: %v", err)
	_, err = net.Listen("tcp", "127.0.0.1:0")
	check.That(err != nil, "Listen worked")
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err = net.DefaultResolver.LookupHost(ctx, "example.com")
	check.That(err != nil, "LookupHost worked")
	_, err = http.Get("http://127.0.0.1:1/")
	check.That(err != nil, "Get worked")
	_, err = net.Interfaces()
	check.That(err != nil, "Interfaces worked")

	check.That(exec.Command("/bin/true").Run() != nil, "Run worked")
	_, err = exec.LookPath("sh")
	check.That(err != nil, "LookPath worked")
	_, err = os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{})
	check.That(err != nil, "StartProcess worked")
	err = syscall.Exec("/bin/true", []string{"true"}, nil)
	check.That(err != nil, "Exec worked")
	took := time.Since(start)
	check.That(took < 30*time.Second, "the refusals took %v", took)
	check.Success()
}
