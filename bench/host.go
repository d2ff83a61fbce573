package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/airlockvm/airlock/internal/kvm"
)

// machineInfo describes the machine that a report is about.
type machineInfo struct {
	CPU     string  `json:"cpu"`
	Cores   int     `json:"cores"`
	Kernel  string  `json:"kernel"`
	KVM     string  `json:"kvm"`
	Nested  bool    `json:"nested"`
	Go      string  `json:"go"`
	Huge    string  `json:"transparent_hugepage"`
	Load    float64 `json:"load_at_start"`
	Samples string  `json:"samples"`
	// Peers are the WebAssembly runtimes that were measured, if any.
	Peers map[string]string `json:"peers,omitempty"`
}

func describeMachine(samples string) machineInfo {
	host := kvm.Probe(kvm.DefaultDevice)
	info := machineInfo{
		CPU:     cpuModel(),
		Cores:   runtime.NumCPU(),
		Kernel:  host.Release,
		KVM:     host.Flavour.String(),
		Nested:  host.Nested,
		Go:      runtime.Version(),
		Huge:    chosen(firstLine("/sys/kernel/mm/transparent_hugepage/enabled")),
		Samples: samples,
	}
	load, _, _ := strings.Cut(firstLine("/proc/loadavg"), " ")
	info.Load, _ = strconv.ParseFloat(load, 64) // 0 if the kernel doesn't tell
	return info
}

func (m machineInfo) String() string {
	where := ""
	if m.Nested {
		where = ", itself a virtual machine"
	}
	text := fmt.Sprintf("%s, %d cores%s\nLinux %s, KVM flavour %s, large pages %s, %s\nsamples: %s\n",
		m.CPU, m.Cores, where, m.Kernel, m.KVM, m.Huge, m.Go, m.Samples)
	var peers []string
	for _, name := range slices.Sorted(maps.Keys(m.Peers)) {
		peers = append(peers, name+" "+m.Peers[name])
	}
	if len(peers) > 0 {
		text += strings.Join(peers, ", ") + "\n"
	}
	if m.Load > float64(m.Cores)/2 {
		text += fmt.Sprintf("The machine is busy (load %.1f): trust ratios, not times.\n", m.Load)
	}
	return text
}

func cpuModel() string {
	f, err := os.Open("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	defer f.Close() //nolint:errcheck // it was only read
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

// firstLine returns the first line of a small file, or nothing.
func firstLine(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return line
}

// chosen returns the word in brackets, with which the kernel marks a setting.
func chosen(line string) string {
	_, after, _ := strings.Cut(line, "[")
	word, _, _ := strings.Cut(after, "]")
	return word
}
