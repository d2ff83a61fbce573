package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/airlockvm/airlock"

	"github.com/airlockvm/airlock/cmd/airlock/internal/values"
)

// hostValue is a function of the host that always returns the same.
type hostValue struct{ name, value string }

// hostList is a flag's value: functions of the host, one for each use of the
// flag. It implements pflag.Value.
type hostList []hostValue

// Set adds a function.
func (l *hostList) Set(text string) error {
	function, value, ok := strings.Cut(text, "=")
	if !ok || function == "" {
		return errors.New("a host function is written NAME=VALUE")
	}
	for _, h := range *l {
		if h.name == function {
			return fmt.Errorf("%s is given twice", name(function))
		}
	}
	*l = append(*l, hostValue{function, value})
	return nil
}

// String returns the default, which is none.
func (l *hostList) String() string { return "" }

// Type is what help texts call the value.
func (l *hostList) Type() string { return "NAME=VALUE" }

// functions makes the functions that the guest needs, which must be those of the
// list.
//
// Guest-controlled: imports.
func (l hostList) functions(guest string, imports []airlock.FunctionInfo, in *inputs) (airlock.HostFuncs, error) {
	made := airlock.HostFuncs{}
	for _, h := range l {
		f, ok := lookup(h.name, imports)
		if !ok {
			return nil, usageError{fmt.Sprintf("--host: %s needs no host function %s%s; it needs %s",
				guest, name(h.name), suggestion(h.name, imports), signatures(imports))}
		}
		v, err := values.Parse(f.Return, h.value, in.read)
		if err != nil {
			return nil, usageError{fmt.Sprintf("--host: the result of %s: %v", f, err)}
		}
		if made[f.Name], err = constant(f, v); err != nil {
			return nil, usageError{fmt.Sprintf("--host: %s: %v", f, err)}
		}
	}
	var missing []string
	for _, f := range imports {
		if _, ok := made[f.Name]; !ok {
			missing = append(missing, fmt.Sprintf("%s gives %s", hostFlag(f), f))
		}
	}
	if len(missing) > 0 {
		return nil, usageError{fmt.Sprintf("%s needs host functions: %s", guest, strings.Join(missing, ", "))}
	}
	return made, nil
}

// hostFlag returns how to give a function with the flag.
func hostFlag(f airlock.FunctionInfo) string {
	value := f.Name + "="
	if f.Return != "void" {
		value += "VALUE"
	}
	// The shells that people use take these as they are.
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:="
	if strings.Trim(value, plain) != "" {
		value = "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
	}
	return "--host " + value
}

// constant makes a function of the types that the guest has declared that
// returns v, or nothing if that is nil.
func constant(f airlock.FunctionInfo, v any) (airlock.HostFunc, error) {
	var params, returns []reflect.Type
	var results []reflect.Value
	for _, typ := range f.Params {
		t, err := values.Type(typ)
		if err != nil {
			return airlock.HostFunc{}, err
		}
		params = append(params, t)
	}
	if v != nil {
		returns = append(returns, reflect.TypeOf(v))
		results = append(results, reflect.ValueOf(v))
	}
	fn := reflect.MakeFunc(reflect.FuncOf(params, returns, false), func([]reflect.Value) []reflect.Value { return results })
	return airlock.Func(fn.Interface()), nil
}
