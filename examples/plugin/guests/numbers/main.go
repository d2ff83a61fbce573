// A plugin of the plugin example: functions for numbers. It keeps a sum, which
// is lost when its sandbox is replaced.
package main

import "github.com/airlockvm/airlock/guest"

var sum int64

func main() {
	guest.Export("Add", func(n int64) int64 { sum += n; return sum })
	guest.Export("Half", func(x float64) float64 { return x / 2 })
	guest.Serve()
}
