package wire_test

import (
	"errors"
	"fmt"

	"github.com/airlockvm/airlock/internal/wire"
)

// A call goes through a buffer that both sides see.
func Example() {
	shared := make([]byte, 64<<10)

	// The caller.
	n, err := wire.PutCall(shared, &wire.Call{
		Name: "Add",
		Args: []wire.Value{wire.Int64(40), wire.Int64(2)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// The callee makes a private copy, and only then looks at it.
	msg := append([]byte(nil), shared[:n]...)
	call, err := wire.DecodeCall(msg)
	if err != nil {
		fmt.Println(err)
		return
	}
	sum := int64(0)
	for _, arg := range call.Args {
		v, _ := arg.Int64()
		sum += v
	}
	fmt.Println(call.Name, call.Args[0].Kind(), sum)
	// Output: Add int64 42
}

// A message that doesn't verify is an error that says what is wrong, and where.
func ExampleDecodeCall_refused() {
	msg, err := wire.AppendCall(nil, &wire.Call{Name: "Greet", Args: []wire.Value{wire.String("you")}})
	if err != nil {
		fmt.Println(err)
		return
	}
	msg[len(msg)-2] = 0xff // in "you"

	_, err = wire.DecodeCall(msg)
	fmt.Println(errors.Is(err, wire.ErrMalformed), errors.Is(err, wire.ErrUTF8))
	fmt.Println(err)
	// Output:
	// true true
	// wire: function_call.parameters[0].value.ValueString.value: not valid UTF-8 (at byte 84)
}

// A message that doesn't fit is refused before anything is written.
func ExamplePutResult() {
	shared := make([]byte, 4096)
	result := wire.Result{Value: wire.Bytes(make([]byte, 5000))}
	_, err := wire.PutResult(shared, &result)
	fmt.Println(errors.Is(err, wire.ErrTooLarge))
	fmt.Println(err)

	// The caller should hear about it.
	result = wire.Result{Err: &wire.ErrorInfo{Code: wire.CodeTooLarge, Message: "5000 bytes"}}
	n, err := wire.PutResult(shared, &result)
	if err != nil {
		fmt.Println(err)
		return
	}
	got, err := wire.DecodeResult(append([]byte(nil), shared[:n]...))
	fmt.Println(got.Err.Code, got.Err.Message, err)
	// Output:
	// true
	// wire: function_result: message too long: 5052, limit 4096
	// too large 5000 bytes <nil>
}

// A guest says what it has and what it needs.
func ExampleAppendDeclaration() {
	msg, err := wire.AppendDeclaration(nil, &wire.Declaration{
		Exports: []wire.Function{{Name: "SayHello", Params: []wire.Kind{wire.KindString}, Return: wire.KindString}},
		Imports: []wire.Function{{Name: "GetWeekday", Return: wire.KindString}},
		SDKName: "airlock-go",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := wire.DecodeDeclaration(msg)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range d.Exports {
		fmt.Println(f.Name, f.Params, f.Return)
	}
	// Output: SayHello [string] string
}
