// Package kernel holds the guest kernel: its C sources in src, their host
// tests in test, and the image built from them.
package kernel
