package airlock

// CheckedBy returns the function as one of which New asks check whether it can be had.
func CheckedBy(f HostFunc, check func() error) HostFunc {
	f.runner = checkedRunner{&check}
	return f
}

type checkedRunner struct{ ask *func() error }

func (r checkedRunner) check() error { return (*r.ask)() }
func (r checkedRunner) join() share  { panic("it is not for calls") }
