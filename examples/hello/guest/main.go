// The guest of the hello example: it exports SayHello and asks the host for the
// day.
package main

import "github.com/airlockvm/airlock/guest"

var getWeekday = guest.Import[func() (string, error)]("GetWeekday")

func main() {
	guest.Export("SayHello", func(name string) (string, error) {
		day, err := getWeekday()
		return "Hello, " + name + "! Today is " + day + ".", err
	})
	guest.Serve()
}
