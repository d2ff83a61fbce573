package main

import (
	"context"
	"fmt"
	"reflect"

	"github.com/airlockvm/airlock/guest"
)

// Each type to the guest and back, and from there to the host and back.
var (
	echoInt32   = guest.Import[func(int32) (int32, error)]("EchoInt32")
	echoUint32  = guest.Import[func(uint32) (uint32, error)]("EchoUint32")
	echoInt64   = guest.Import[func(int64) (int64, error)]("EchoInt64")
	echoUint64  = guest.Import[func(uint64) (uint64, error)]("EchoUint64")
	echoFloat32 = guest.Import[func(float32) (float32, error)]("EchoFloat32")
	echoFloat64 = guest.Import[func(float64) (float64, error)]("EchoFloat64")
	echoBool    = guest.Import[func(bool) (bool, error)]("EchoBool")
	echoString  = guest.Import[func(string) (string, error)]("EchoString")
	echoBytes   = guest.Import[func([]byte) ([]byte, error)]("EchoBytes")
	echoVoid    = guest.Import[func() error]("EchoVoid")
)

func exportValues() {
	exportEcho("Int32", echoInt32)
	exportEcho("Uint32", echoUint32)
	exportEcho("Int64", echoInt64)
	exportEcho("Uint64", echoUint64)
	exportEcho("Float32", echoFloat32)
	exportEcho("Float64", echoFloat64)
	exportEcho("Bool", echoBool)
	exportEcho("String", echoString)
	exportEcho("Bytes", echoBytes)
	guest.Export("Void", func() {})
	guest.Export("HostVoid", echoVoid)
	guest.Export("Mixed", func(_ context.Context, a int32, b string, c []byte, d float64, e bool) (string, error) {
		return fmt.Sprint(a, b, c, d, e), nil
	})
	for n := range 33 {
		guest.Export(fmt.Sprintf("Params%d", n), weighted(n))
	}
}

// exportEcho exports a function that returns its argument, and one that sends it
// to the host and returns what comes back.
func exportEcho[T any](name string, host func(T) (T, error)) {
	guest.Export(name, func(v T) T { return v })
	guest.Export("Host"+name, host)
}

// weighted makes a function of n parameters that returns 1*first + 2*second and
// so on, so that neither one lost nor two exchanged go unnoticed.
func weighted(n int) any {
	params := make([]reflect.Type, n)
	for i := range params {
		params[i] = reflect.TypeFor[int32]()
	}
	t := reflect.FuncOf(params, []reflect.Type{reflect.TypeFor[int64]()}, false)
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		var sum int64
		for i, arg := range args {
			sum += int64(i+1) * arg.Int()
		}
		return []reflect.Value{reflect.ValueOf(sum)}
	}).Interface()
}
