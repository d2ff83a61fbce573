package test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/abi"
)

// TestWalkRun walks over what programs that are run share with the host: where
// there is a stdin, and writers.
func TestWalkRun(t *testing.T) {
	t.Parallel()
	g := guest(t, "hostile-call_walk")
	var steps []step
	for _, f := range fieldsOf("control", "", reflect.TypeFor[abi.Control](), 0) {
		part, _, _ := strings.Cut(f.name, ".")
		if part == "Boot" || part == "Message" {
			continue // TestWalkControl does those
		}
		for _, s := range stepsOf(f, nil) {
			if ports, known := readers[part]; s.port < abi.PortDeclare && (!known || len(ports) > 0 && s.port == ports[0]) {
				steps = append(steps, s)
			}
		}
	}
	if testing.Short() {
		steps = every(steps, 20)
	}
	for _, s := range steps {
		args := []string{"control", fmt.Sprint(s.field.offset), fmt.Sprint(s.field.size), fmt.Sprintf("%#x", s.value), fmt.Sprintf("%#x", s.port)}
		deadline := 50 * time.Millisecond
		if s.mustRefuse() {
			deadline = hang
		}
		o := run(t, program{
			guest: g, process: airlock.Process{Args: args, Stdin: strings.NewReader(strings.Repeat("input\n", 10000))},
			options: airlock.Options{Memory: 32 << 20}, deadline: deadline,
		})
		if s.mustRefuse() && !errors.Is(o.err, airlock.ErrProtocol) {
			t.Errorf("%s = %#x, port %#x: code %d, %v, want ErrProtocol", s.field.name, s.value, s.port, o.code, o.err)
		}
		if t.Failed() {
			t.Fatalf("%s = %#x, port %#x", s.field.name, s.value, s.port)
		}
		attacks.add("walk: fields, in runs", 1, endOf(o.err))
	}
	t.Logf("%d steps", len(steps))
}
