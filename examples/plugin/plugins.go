package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/airlockvm/airlock"
)

// Options bound what a plugin may use. The zero value is a safe default.
type Options struct {
	// Deadline is how long one call may take; 0 means a second.
	Deadline time.Duration
	// Memory is what each plugin has; 0 means 64 MiB.
	Memory int64
	// HostFuncs are what plugins may call.
	HostFuncs airlock.HostFuncs
}

// Plugins are the plugins of a directory. All methods may be called from any
// goroutine; calls of different plugins run side by side.
type Plugins struct {
	options Options
	plugins map[string]*plugin
	owner   map[string]*plugin // by the full name of a function
}

// ErrReplaced means that a plugin failed in a way that left nothing to rely on:
// it was replaced, and what it had in memory is gone.
var ErrReplaced = errors.New("plugin was replaced")

// plugin is one plugin. A call holds its lock: a sandbox does one thing at a
// time, and nobody else should see it being replaced.
type plugin struct {
	name      string
	guest     *airlock.Guest
	functions map[string]airlock.FunctionInfo // as declared when it was loaded

	mu      sync.Mutex
	sandbox *airlock.Sandbox // guarded by mu; nil until it is needed
}

// Load loads every file with the suffix .plugin and asks each what it exports.
// The plugin of the file words.plugin is called words. One that can't be loaded
// is an error: whoever has put it there wants to know.
func Load(ctx context.Context, dir string, options Options) (_ *Plugins, err error) {
	if options.Deadline == 0 {
		options.Deadline = time.Second
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.plugin"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w: no *.plugin", dir, os.ErrNotExist)
	}
	ps := &Plugins{options: options, plugins: map[string]*plugin{}, owner: map[string]*plugin{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, ps.Close())
		}
	}()
	for _, file := range files {
		p, err := ps.load(ctx, file)
		if err != nil {
			return ps, fmt.Errorf("%s: %w", file, err)
		}
		for name := range p.functions {
			ps.owner[p.name+"."+name] = p
		}
	}
	return ps, nil
}

func (ps *Plugins) load(ctx context.Context, file string) (*plugin, error) {
	guest, err := airlock.LoadGuest(file)
	if err != nil {
		return nil, err
	}
	p := &plugin{
		name:      strings.TrimSuffix(filepath.Base(file), ".plugin"),
		guest:     guest,
		functions: map[string]airlock.FunctionInfo{},
	}
	ps.plugins[p.name] = p
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ps.start(ctx, p); err != nil {
		return nil, err
	}
	// The plugin starts here, so that this has a deadline too.
	ctx, cancel := context.WithTimeout(ctx, ps.options.Deadline)
	defer cancel()
	list, err := p.sandbox.Functions(ctx)
	if err != nil {
		return nil, err
	}
	for _, f := range list.Exports {
		p.functions[f.Name] = f
	}
	return p, nil
}

// start makes the plugin's sandbox. Preconditions: p.mu is held.
func (ps *Plugins) start(ctx context.Context, p *plugin) (err error) {
	p.sandbox, err = airlock.New(ctx, p.guest, airlock.Options{
		Memory:    ps.options.Memory,
		HostFuncs: ps.options.HostFuncs,
	})
	return err
}

// Functions returns the names of all functions, as plugin.Function, sorted.
func (ps *Plugins) Functions() []string {
	names := make([]string, 0, len(ps.owner))
	for name := range ps.owner {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Signature describes a function.
func (ps *Plugins) Signature(name string) (airlock.FunctionInfo, bool) {
	p, ok := ps.owner[name]
	if !ok {
		return airlock.FunctionInfo{}, false
	}
	return p.functions[strings.TrimPrefix(name, p.name+".")], true
}

// Call calls a function by its full name. An error that is [ErrReplaced] says
// that the plugin crashed, hung or otherwise broke down, and has begun anew; any
// other is what the plugin answered, or what was wrong with the call.
func (ps *Plugins) Call(ctx context.Context, name string, args ...any) (any, error) {
	p, ok := ps.owner[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q", airlock.ErrUnknownFunction, name)
	}
	ctx, cancel := context.WithTimeout(ctx, ps.options.Deadline)
	defer cancel()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.sandbox == nil {
		if err := ps.start(ctx, p); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	result, err := p.sandbox.Call(ctx, strings.TrimPrefix(name, p.name+"."), args...)
	switch {
	case err == nil:
		return result, nil
	case usable(err):
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	// Whatever else went wrong has poisoned the sandbox. The next call makes a new
	// one: the caller who has met the crash should not wait for that.
	err = fmt.Errorf("%s: %w: %w", name, ErrReplaced, errors.Join(err, p.sandbox.Close()))
	p.sandbox = nil
	return nil, err
}

// usable reports whether a sandbox is still good after the error of a call.
func usable(err error) bool {
	for _, target := range []error{airlock.ErrUnknownFunction, airlock.ErrArguments, airlock.ErrTooLarge} {
		if errors.Is(err, target) {
			return true
		}
	}
	_, guest := errors.AsType[*airlock.GuestError](err)
	_, host := errors.AsType[*airlock.HostPanicError](err)
	_, missing := errors.AsType[*airlock.MissingHostFunctionError](err)
	return guest || host || missing
}

// Close ends all plugins, after the calls that they are in.
func (ps *Plugins) Close() error {
	var errs []error
	for _, p := range ps.plugins {
		p.mu.Lock()
		if p.sandbox != nil {
			errs = append(errs, p.sandbox.Close())
			p.sandbox = nil
		}
		p.mu.Unlock()
	}
	return errors.Join(errs...)
}
