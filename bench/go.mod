module github.com/airlockvm/airlock/bench

go 1.26.0

require github.com/airlockvm/airlock v0.0.0

require golang.org/x/sys v0.49.0 // indirect

replace github.com/airlockvm/airlock => ..
