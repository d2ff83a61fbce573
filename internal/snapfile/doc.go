// Package snapfile is the form of snapshots on disk: what their parts hold, and
// what must be true of them before a virtual machine may be made of them.
//
// A snapshot is an artifact in an OCI image layout: a manifest, a config and one
// layer with the content of memory. Everything that is read may have been made
// by an attacker. So the config, which decides what the host does, is decoded
// into plain values, checked as a whole, and not believed before; the layer is
// only bytes for the guest. No hypervisor is needed for any of it.
package snapfile
