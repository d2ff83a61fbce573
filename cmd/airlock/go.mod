module github.com/airlockvm/airlock/cmd/airlock

go 1.26.0

require (
	github.com/airlockvm/airlock v0.0.0
	github.com/docker/go-units v0.5.0
	github.com/rogpeppe/go-internal v1.16.0
	github.com/spf13/cobra v1.10.2
	golang.org/x/term v0.47.0
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/tools v0.26.0 // indirect
)

replace github.com/airlockvm/airlock => ../..
