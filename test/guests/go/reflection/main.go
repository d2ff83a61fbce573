// Reflection builds types, functions, channels and calls at run time; generics and closures beside it.
// want: exit 0
// stdout: SUCCESS
package main

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"runtime"
	"slices"

	"github.com/airlockvm/airlock/test/guests/internal/check"
)

type Shape interface{ Area() float64 }

type Square struct{ Side float64 }

func (s Square) Area() float64             { return s.Side * s.Side }
func (s *Square) Scale(by float64)         { s.Side *= by }
func (s Square) Name(prefix string) string { return prefix + "square" }
func (Square) Fail(code int) (int, error) {
	return 0, fmt.Errorf("code %d: %w", code, errors.ErrUnsupported)
}

func squares(n int) iter.Seq2[int, float64] {
	return sequence(n, func(i int) float64 { return float64(i * i) })
}

func sequence[T any](n int, f func(int) T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i := range n {
			if !yield(i, f(i)) {
				return
			}
		}
	}
}

func main() {
	square := &Square{Side: 2}
	v := reflect.ValueOf(square)
	v.MethodByName("Scale").Call([]reflect.Value{reflect.ValueOf(1.5)})
	check.Equal(square.Area(), 9)
	check.Equal(v.MethodByName("Name").Call([]reflect.Value{reflect.ValueOf("a ")})[0].String(), "a square")
	results := v.MethodByName("Fail").Call([]reflect.Value{reflect.ValueOf(3)})
	check.That(errors.Is(results[1].Interface().(error), errors.ErrUnsupported), "%v", results[1])
	check.That(v.Type().Implements(reflect.TypeFor[Shape]()), "*Square is no Shape")

	add := reflect.MakeFunc(reflect.TypeFor[func(int, ...int) int](), func(in []reflect.Value) []reflect.Value {
		total := in[0].Int()
		for i := range in[1].Len() {
			total += in[1].Index(i).Int()
		}
		return []reflect.Value{reflect.ValueOf(int(total))}
	}).Interface().(func(int, ...int) int)
	for range 1000 {
		check.Equal(add(1, 2, 3, 4), 10)
	}

	made := reflect.New(reflect.StructOf([]reflect.StructField{
		{Name: "A", Type: reflect.TypeFor[int]()},
		{Name: "B", Type: reflect.MapOf(reflect.TypeFor[string](), reflect.TypeFor[[]byte]())},
	})).Elem()
	made.Field(0).SetInt(7)
	made.Field(1).Set(reflect.MakeMap(made.Field(1).Type()))
	made.Field(1).SetMapIndex(reflect.ValueOf("k"), reflect.ValueOf([]byte("v")))
	runtime.GC()
	check.Equal(fmt.Sprintf("%+v", made.Interface()), "{A:7 B:map[k:[118]]}")

	ch := reflect.MakeChan(reflect.TypeFor[chan int](), 1)
	ch.Send(reflect.ValueOf(5))
	chosen, got, ok := reflect.Select([]reflect.SelectCase{{Dir: reflect.SelectRecv, Chan: ch}})
	check.That(chosen == 0 && ok, "Select chose %d, %v", chosen, ok)
	check.Equal(got.Int(), 5)

	all := maps.Collect(squares(10))
	check.Equal(all[9], 81)
	check.Equal(slices.Max(slices.Collect(maps.Values(all))), 81)
	next, stop := iter.Pull2(squares(3)) // coroutines
	defer stop()
	for want := range 3 {
		i, f, ok := next()
		check.That(ok && i == want && f == float64(want*want), "next gave %d, %v, %v", i, f, ok)
	}
	check.Success()
}
