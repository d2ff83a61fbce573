package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/bytecodealliance/wasmtime-go/v39"
)

// wasmtimeEngine is wasmtime with its optimising compiler.
type wasmtimeEngine struct {
	engine *wasmtime.Engine
	linker *wasmtime.Linker
	// Stoppable has the code check the engine's epoch. Nothing advances it here: who
	// wants to stop guests needs a timer that does, which costs next to nothing.
	stoppable bool
}

func newWasmtime(stoppable bool) (*wasmtimeEngine, error) {
	config := wasmtime.NewConfig()
	config.SetEpochInterruption(stoppable)
	e := &wasmtimeEngine{engine: wasmtime.NewEngineWithConfig(config), stoppable: stoppable}
	e.linker = wasmtime.NewLinker(e.engine)
	if err := e.linker.DefineWasi(); err != nil {
		return nil, err
	}
	i32 := func() *wasmtime.ValType { return wasmtime.NewValType(wasmtime.KindI32) }
	kind := wasmtime.NewFuncType([]*wasmtime.ValType{i32(), i32()}, []*wasmtime.ValType{i32()})
	return e, e.linker.FuncNew("host", "ask", kind, func(c *wasmtime.Caller, args []wasmtime.Val) ([]wasmtime.Val, *wasmtime.Trap) {
		memory := c.GetExport("memory").Memory().UnsafeData(c)
		at, size := uint64(uint32(args[0].I32())), uint64(uint32(args[1].I32())) //nolint:gosec // G115: what they are
		if at+size > uint64(len(memory)) {
			return nil, wasmtime.NewTrap("a guest named memory that it doesn't have")
		}
		view := memory[at:][:size]
		text := askHost(string(view))
		copy(view, text)
		return []wasmtime.Val{wasmtime.ValI32(int32(len(text)))}, nil //nolint:gosec // G115: it came with such a length
	})
}

func (e *wasmtimeEngine) compile(_ context.Context, file []byte) (module, error) {
	compiled, err := wasmtime.NewModule(e.engine, file)
	return &wasmtimeModule{e, compiled}, err
}

type wasmtimeModule struct {
	engine   *wasmtimeEngine
	compiled *wasmtime.Module
}

// deadline is in the engine's epochs, of which none passes.
const deadline = 1

// store makes what holds an instance.
func (m *wasmtimeModule) store(wasi *wasmtime.WasiConfig) *wasmtime.Store {
	s := wasmtime.NewStore(m.engine.engine)
	s.SetWasi(wasi)
	if m.engine.stoppable {
		s.SetEpochDeadline(deadline)
	}
	return s
}

func (m *wasmtimeModule) instantiate(context.Context) (instance, error) {
	in := &wasmtimeInstance{
		store: m.store(wasmtime.NewWasiConfig()), stoppable: m.engine.stoppable, functions: make(map[string]*wasmtime.Func),
	}
	var err error
	if in.made, err = m.engine.linker.Instantiate(in.store, m.compiled); err != nil {
		in.store.Close()
		return nil, err
	}
	in.memory = in.made.GetExport(in.store, "memory").Memory()
	if start := in.made.GetFunc(in.store, "_initialize"); start != nil {
		if _, err := start.Call(in.store); err != nil {
			in.store.Close()
			return nil, err
		}
	}
	return in, nil
}

func (m *wasmtimeModule) run(_ context.Context, args []string) (output string, err error) {
	// It takes a file only.
	out, err := os.CreateTemp("", "airlock-bench-")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, out.Close(), os.Remove(out.Name())) }()
	wasi := wasmtime.NewWasiConfig()
	wasi.SetArgv(args)
	if err := wasi.SetStdoutFile(out.Name()); err != nil {
		return "", err
	}
	s := m.store(wasi)
	defer s.Close()
	made, err := m.engine.linker.Instantiate(s, m.compiled)
	if err != nil {
		return "", err
	}
	_, err = made.GetFunc(s, "_start").Call(s)
	if exit, ok := errors.AsType[*wasmtime.Error](err); ok {
		if code, ok := exit.ExitStatus(); ok && code == 0 {
			err = nil
		}
	}
	if err != nil {
		return "", fmt.Errorf("%v: %w", args, err)
	}
	text, err := os.ReadFile(out.Name())
	return string(text), err
}

type wasmtimeInstance struct {
	store     *wasmtime.Store
	made      *wasmtime.Instance
	memory    *wasmtime.Memory
	functions map[string]*wasmtime.Func
	buffer    int32
	stoppable bool
}

func (in *wasmtimeInstance) function(name string) (*wasmtime.Func, error) {
	f := in.functions[name]
	if f == nil {
		if f = in.made.GetFunc(in.store, name); f == nil {
			return nil, fmt.Errorf("the module doesn't export %s", name)
		}
		in.functions[name] = f
	}
	return f, nil
}

func (in *wasmtimeInstance) reserve(_ context.Context, size int) error {
	f, err := in.function("alloc")
	if err != nil {
		return err
	}
	at, err := f.Call(in.store, int32(size)) //nolint:gosec // G115: a size
	if err != nil {
		return err
	}
	var ok bool
	if in.buffer, ok = at.(int32); !ok {
		return errors.New("alloc returns no address")
	}
	return nil
}

func (in *wasmtimeInstance) call(_ context.Context, function string, argument []byte) ([]byte, error) {
	f, err := in.function(function)
	if err != nil {
		return nil, err
	}
	if in.stoppable {
		in.store.SetEpochDeadline(deadline)
	}
	if copy(in.memory.UnsafeData(in.store)[uint32(in.buffer):], argument) < len(argument) { //nolint:gosec // G115: an address
		return nil, errors.New("the buffer is not in the module's memory")
	}
	value, err := f.Call(in.store, in.buffer, int32(len(argument))) //nolint:gosec // G115: a size
	if err != nil {
		return nil, err
	}
	result, ok := value.(int64)
	if !ok {
		return nil, errors.New("the function returns no result")
	}
	memory, at, size := in.memory.UnsafeData(in.store), uint64(result)>>32, uint64(uint32(result)) //nolint:gosec // G115: the two halves
	if at+size > uint64(len(memory)) {
		return nil, errors.New("the result is not in the module's memory")
	}
	return bytes.Clone(memory[at:][:size]), nil
}

func (in *wasmtimeInstance) settle(context.Context) error {
	if f := in.made.GetFunc(in.store, "settle"); f != nil {
		_, err := f.Call(in.store)
		return err
	}
	return nil
}

func (in *wasmtimeInstance) close(context.Context) error {
	in.store.Close()
	return nil
}
