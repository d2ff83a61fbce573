package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"

	"github.com/airlockvm/airlock/internal/snapfile"
	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/rogpeppe/go-internal/testscript"
	"oras.land/oras-go/v2/registry/remote"
)

// startRegistry is the script command "registry NAME": it starts a registry, a
// process of its own, and sets the variable to its address.
func startRegistry(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: registry NAME")
	}
	program := ts.MkAbs("registry.program")
	repository := ts.Getenv("REPOSITORY")
	build := exec.Command("go", "build", "-modfile="+filepath.Join(repository, "tools", "go.mod"),
		"-o", program, "github.com/google/go-containerregistry/cmd/registry")
	build.Dir = repository
	if out, err := build.CombinedOutput(); err != nil {
		ts.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(program, "-port", "0")
	log, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	// It says which port it has, and then a line for each request.
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if port := regexp.MustCompile(`serving on port (\d+)`).FindStringSubmatch(lines.Text()); port != nil {
			ts.Setenv(args[0], "localhost:"+port[1])
			go func() {
				for lines.Scan() { //nolint:revive // so that it never waits for somebody to read them
				}
			}()
			return
		}
	}
	ts.Fatalf("the registry ended")
}

// pushImage is the script command "image REFERENCE [ARTIFACT-TYPE CONFIG]": it
// pushes what is no snapshot, though it may say so.
func pushImage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 && len(args) != 3 {
		ts.Fatalf("usage: image REFERENCE [ARTIFACT-TYPE CONFIG]")
	}
	repository, err := remote.NewRepository(args[0])
	ts.Check(err)
	repository.PlainHTTP = true
	kind, config := "application/vnd.example", "{}"
	if len(args) == 3 {
		kind, config = args[1], args[2]
	}
	push := func(mediaType string, content []byte) v1.Descriptor {
		d := v1.Descriptor{MediaType: mediaType, Digest: digest.FromBytes(content), Size: int64(len(content))}
		ts.Check(repository.Blobs().Push(context.Background(), d, bytes.NewReader(content)))
		return d
	}
	manifest, err := json.Marshal(v1.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageManifest, ArtifactType: kind,
		Config: push(snapfile.ConfigType, []byte(config)),
		Layers: []v1.Descriptor{push(snapfile.MemoryType, make([]byte, 4096))},
	})
	ts.Check(err)
	d := v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: digest.FromBytes(manifest), Size: int64(len(manifest))}
	ts.Check(repository.Manifests().PushReference(context.Background(), d, bytes.NewReader(manifest), repository.Reference.Reference))
}
