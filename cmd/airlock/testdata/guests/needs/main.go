// The guest of the scripts for "airlock call --host": it needs functions of all
// kinds.
package main

import (
	"fmt"

	"github.com/airlockvm/airlock/guest"
)

var (
	text   = guest.Import[func() (string, error)]("Text")
	number = guest.Import[func(string, float64) (int64, error)]("Number")
	ratio  = guest.Import[func() (float32, error)]("Ratio")
	ready  = guest.Import[func(bool) (bool, error)]("Ready")
	blob   = guest.Import[func([]byte) ([]byte, error)]("Blob")
	notify = guest.Import[func(string, int32) error]("Notify")
	odd    = guest.Import[func() (uint64, error)]("it's odd")
)

func main() {
	fmt.Println("starting")
	guest.Export("Report", func() (string, error) {
		t, err := text()
		if err != nil {
			return "", err
		}
		n, _ := number("x", 1.5)
		r, _ := ratio()
		y, _ := ready(false)
		b, _ := blob([]byte{1})
		o, _ := odd()
		return fmt.Sprintf("%q %v %v %v %q %v %v", t, n, r, y, b, o, notify("x", 1)), nil
	})
	guest.Serve()
}
