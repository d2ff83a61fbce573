// A plugin of the plugin example: functions for texts.
package main

import (
	"strings"

	"github.com/airlockvm/airlock/guest"
)

func main() {
	guest.Export("Upper", strings.ToUpper)
	guest.Export("Count", func(text string) int64 { return int64(len(strings.Fields(text))) })
	guest.Serve()
}
