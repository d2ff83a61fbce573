// Package guest is for programs that run inside an Airlock sandbox and whose
// functions the host calls. It needs nothing but the stock Go toolchain: build
// the program with CGO_ENABLED=0.
//
//	var getWeekday = guest.Import[func() (string, error)]("GetWeekday")
//
//	func main() {
//		guest.Export("SayHello", func(name string) (string, error) {
//			day, err := getWeekday()
//			return "Hello, " + name + "! Today is " + day + ".", err
//		})
//		guest.Serve()
//	}
//
// Functions have up to 32 parameters and return a value, an error, both in this
// order, or nothing. Parameters and results are int32, uint32, int64, uint64,
// float32, float64, bool, string or []byte; int passes as int64. Bytes that a
// function gets, as arguments or from the host, are its own. An exported
// function may have a leading [context.Context], which is never cancelled: when
// the host cancels a call, the guest is stopped, not asked.
//
// The host runs the guest only while a call is in progress. Goroutines may run
// beside it during a call; between calls everything stands still, and the clock
// jumps forward at the next one. If the host has asked for hot calls
// (airlock.Options.Spin), Serve and host functions watch shared memory for a
// while before they leave the machine; nothing else runs meanwhile either.
package guest
