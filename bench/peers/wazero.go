package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// wazeroEngine is wazero with its compiler.
type wazeroEngine struct{ runtime wazero.Runtime }

func newWazero(ctx context.Context, stoppable bool) (*wazeroEngine, error) {
	e := &wazeroEngine{wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCloseOnContextDone(stoppable))}
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, e.runtime); err != nil {
		return nil, err
	}
	// The form of host function that wazero calls without reflection.
	ask := api.GoModuleFunc(func(_ context.Context, m api.Module, stack []uint64) {
		at, size := api.DecodeU32(stack[0]), api.DecodeU32(stack[1])
		view, ok := m.Memory().Read(at, size)
		if !ok {
			panic("a guest named memory that it doesn't have")
		}
		text := askHost(string(view))
		copy(view, text)
		stack[0] = api.EncodeU32(uint32(len(text))) //nolint:gosec // G115: it came with such a length
	})
	i32 := api.ValueTypeI32
	_, err := e.runtime.NewHostModuleBuilder("host").NewFunctionBuilder().
		WithGoModuleFunction(ask, []api.ValueType{i32, i32}, []api.ValueType{i32}).Export("ask").Instantiate(ctx)
	return e, err
}

// askHost is the function of the host.
func askHost(text string) string { return text }

func (e *wazeroEngine) compile(ctx context.Context, file []byte) (module, error) {
	compiled, err := e.runtime.CompileModule(ctx, file)
	return &wazeroModule{e.runtime, compiled}, err
}

type wazeroModule struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

func (m *wazeroModule) instantiate(ctx context.Context) (instance, error) {
	made, err := m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName("").WithStartFunctions("_initialize"))
	if err != nil {
		return nil, err
	}
	return &wazeroInstance{module: made, functions: make(map[string]api.Function)}, nil
}

func (m *wazeroModule) run(ctx context.Context, args []string) (string, error) {
	var out, problems bytes.Buffer
	config := wazero.NewModuleConfig().WithName("").WithArgs(args...).WithStdout(&out).WithStderr(&problems).
		WithSysNanotime().WithSysWalltime().WithSysNanosleep()
	made, err := m.runtime.InstantiateModule(ctx, m.compiled, config)
	if made != nil {
		err = errors.Join(err, made.Close(ctx))
	}
	if exit, ok := errors.AsType[*sys.ExitError](err); ok && exit.ExitCode() == 0 {
		err = nil
	}
	if err != nil {
		return "", fmt.Errorf("%v: %w: %.200q", args, err, problems.String())
	}
	return out.String(), nil
}

type wazeroInstance struct {
	module    api.Module
	functions map[string]api.Function
	buffer    uint32
	stack     [2]uint64
}

func (in *wazeroInstance) function(name string) (api.Function, error) {
	f := in.functions[name]
	if f == nil {
		if f = in.module.ExportedFunction(name); f == nil {
			return nil, fmt.Errorf("the module doesn't export %s", name)
		}
		in.functions[name] = f
	}
	return f, nil
}

func (in *wazeroInstance) reserve(ctx context.Context, size int) error {
	f, err := in.function("alloc")
	if err != nil {
		return err
	}
	in.stack[0] = uint64(size) //nolint:gosec // G115: a size
	err = f.CallWithStack(ctx, in.stack[:])
	in.buffer = api.DecodeU32(in.stack[0])
	return err
}

func (in *wazeroInstance) call(ctx context.Context, function string, argument []byte) ([]byte, error) {
	f, err := in.function(function)
	if err != nil {
		return nil, err
	}
	memory := in.module.Memory()
	if !memory.Write(in.buffer, argument) {
		return nil, errors.New("the buffer is not in the module's memory")
	}
	in.stack = [2]uint64{uint64(in.buffer), uint64(len(argument))}
	if err := f.CallWithStack(ctx, in.stack[:]); err != nil {
		return nil, err
	}
	view, ok := memory.Read(uint32(in.stack[0]>>32), uint32(in.stack[0])) //nolint:gosec // G115: the two halves
	if !ok {
		return nil, errors.New("the result is not in the module's memory")
	}
	return bytes.Clone(view), nil
}

func (in *wazeroInstance) settle(ctx context.Context) error {
	if f := in.module.ExportedFunction("settle"); f != nil {
		_, err := f.Call(ctx)
		return err
	}
	return nil
}

func (in *wazeroInstance) close(ctx context.Context) error { return in.module.Close(ctx) }
