// A plugin of the plugin example that crashes, hangs and uses up its memory when
// it is told to, and works otherwise.
package main

import (
	"errors"

	"github.com/airlockvm/airlock/guest"
)

var hoard [][]byte

func main() {
	guest.Export("Works", func() string { return "works" })
	guest.Export("Fails", func() error { return errors.New("this time it didn't work") })
	guest.Export("Crashes", func() { panic("a bug") })
	guest.Export("Hangs", func() {
		for {
			hoard = nil
		}
	})
	guest.Export("Hoards", func() {
		for {
			hoard = append(hoard, make([]byte, 1<<20))
			clear(hoard[len(hoard)-1])
		}
	})
	guest.Serve()
}
