package machine

import (
	"runtime"

	"github.com/airlockvm/airlock/internal/kvm"
)

// runner decides on which thread of the operating system a processor runs.
type runner interface {
	// begin is called before a sequence of runs. It returns the thread that will
	// make them.
	begin() (tid int)
	// run runs the processor once.
	run(*kvm.VCPU) (kvm.ExitReason, error)
	// end is called after the sequence, on the goroutine that called begin.
	end()
	// close frees what the runner holds.
	close()
}

// chooseRunner takes the caller's own thread where the kernel lets a processor
// change threads for free. Kernels before 6.13 wait for a grace period of RCU
// when it does, which takes milliseconds: there each processor has a thread of
// its own.
func chooseRunner(v kvm.Version) runner {
	if v.AtLeast(6, 13) {
		return inlineRunner{}
	}
	return newThreadRunner()
}

// inlineRunner runs on the calling goroutine, locked to its thread meanwhile so
// that a kick finds it.
type inlineRunner struct{}

func (inlineRunner) begin() int {
	runtime.LockOSThread()
	return kvm.ThreadID()
}

func (inlineRunner) run(c *kvm.VCPU) (kvm.ExitReason, error) { return c.Run() }
func (inlineRunner) end()                                    { runtime.UnlockOSThread() }
func (inlineRunner) close()                                  {}

// threadRunner runs on a thread that does nothing else.
type threadRunner struct {
	tid      int
	requests chan *kvm.VCPU
	results  chan runResult
}

type runResult struct {
	reason kvm.ExitReason
	err    error
}

func newThreadRunner() *threadRunner {
	r := &threadRunner{requests: make(chan *kvm.VCPU), results: make(chan runResult)}
	ready := make(chan int)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		ready <- kvm.ThreadID()
		for c := range r.requests {
			reason, err := c.Run()
			r.results <- runResult{reason, err}
		}
		close(r.results)
	}()
	r.tid = <-ready
	return r
}

func (r *threadRunner) begin() int { return r.tid }

func (r *threadRunner) run(c *kvm.VCPU) (kvm.ExitReason, error) {
	r.requests <- c
	result := <-r.results
	return result.reason, result.err
}

func (r *threadRunner) end() {}

func (r *threadRunner) close() {
	close(r.requests)
	<-r.results // the goroutine is about to be gone
}
