package snapfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/airlockvm/airlock/internal/abi"
	"github.com/airlockvm/airlock/internal/ocilayout"
)

// Stored is a snapshot in a layout, of which all but the memory was read.
type Stored struct {
	// Tag is what it was found by.
	Tag string
	// Manifest says where its other parts are.
	Manifest v1.Descriptor
	// Config and Memory are those.
	Config, Memory v1.Descriptor
	// Content is the config, checked.
	Content *Config
}

// Write puts a snapshot into a layout, which is made if there is none.
// The config is what Encode returned.
func Write(ctx context.Context, dir, tag string, text, memory []byte) error {
	config, err := Decode(text)
	if err != nil {
		return err
	}
	if size := config.ContentSize(); uint64(len(memory)) != size {
		return malformed("memory.runs", "they have %d bytes, the content %d", size, len(memory))
	}
	l, err := ocilayout.Create(ctx, dir)
	if err != nil {
		return err
	}
	defer l.Close() //nolint:errcheck // what was written is closed
	sum, err := sum(ctx, memory)
	if err != nil {
		return err
	}
	layer := v1.Descriptor{MediaType: MemoryType, Digest: sum, Size: int64(len(memory))}
	if err := l.AddBlob(ctx, layer, bytes.NewReader(memory)); err != nil {
		return err
	}
	about := v1.Descriptor{MediaType: ConfigType, Digest: digest.FromBytes(text), Size: int64(len(text))}
	if err := l.AddBlob(ctx, about, bytes.NewReader(text)); err != nil {
		return err
	}
	manifest, err := json.Marshal(v1.Manifest{
		Versioned:    specs.Versioned{SchemaVersion: 2},
		MediaType:    v1.MediaTypeImageManifest,
		ArtifactType: ArtifactType,
		Config:       about,
		Layers:       []v1.Descriptor{layer},
		Annotations:  map[string]string{v1.AnnotationCreated: config.Created().Format(time.RFC3339), v1.AnnotationTitle: config.Guest},
	})
	if err != nil {
		return fmt.Errorf("airlock: %w", err)
	}
	return Tag(ctx, l, tag, manifest)
}

// Tag writes a manifest, whose parts must be there, and gives it a tag.
func Tag(ctx context.Context, l *ocilayout.Layout, tag string, manifest []byte) error {
	d := v1.Descriptor{
		MediaType: v1.MediaTypeImageManifest, ArtifactType: ArtifactType,
		Digest: digest.FromBytes(manifest), Size: int64(len(manifest)),
	}
	if err := l.AddBlob(ctx, d, bytes.NewReader(manifest)); err != nil {
		return err
	}
	return l.SetTag(ctx, tag, d)
}

// sum is the digest of bytes, a piece at a time, because the context may end.
func sum(ctx context.Context, b []byte) (digest.Digest, error) {
	const piece = 4 << 20
	d := digest.SHA256.Digester()
	for len(b) > 0 {
		if ctx.Err() != nil {
			return "", fmt.Errorf("airlock: %w", context.Cause(ctx))
		}
		n := min(len(b), piece)
		_, _ = d.Hash().Write(b[:n]) // never fails
		b = b[n:]
	}
	return d.Digest(), nil
}

// Created is when the snapshot was taken.
func (c *Config) Created() time.Time {
	return time.Unix(0, int64(c.Clock.Wall)).UTC() //nolint:gosec // G115: at most maxTime
}

// Find reads the manifest and the config of a snapshot.
//
// Guest-controlled: all that is in the layout.
func Find(l *ocilayout.Layout, tag string) (*Stored, error) {
	d, err := l.Resolve(tag)
	if err != nil {
		return nil, err
	}
	if d.MediaType != v1.MediaTypeImageManifest {
		return nil, unfit(d, "the tag %q leads to %.100q, not to a manifest (%s)", tag, d.MediaType, v1.MediaTypeImageManifest)
	}
	text, err := l.ReadBlob(d, ocilayout.MaxDocument)
	if err != nil {
		return nil, err
	}
	s, err := ParseManifest(text)
	if err != nil {
		return nil, err
	}
	s.Tag = tag
	text, err = l.ReadBlob(s.Config, MaxConfig)
	if err != nil {
		return nil, err
	}
	return s, s.setConfig(text)
}

// ParseManifest reads a manifest, and demands that it is one of a snapshot.
func ParseManifest(text []byte) (*Stored, error) {
	s := &Stored{Manifest: v1.Descriptor{
		MediaType: v1.MediaTypeImageManifest, ArtifactType: ArtifactType, Digest: digest.FromBytes(text), Size: int64(len(text)),
	}}
	var m v1.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, unfit(s.Manifest, "the manifest: %.300v", err)
	}
	switch {
	case m.SchemaVersion != 2 || m.MediaType != v1.MediaTypeImageManifest:
		return nil, unfit(s.Manifest, "the manifest is a %.100q of schemaVersion %d", m.MediaType, m.SchemaVersion)
	case m.ArtifactType != ArtifactType:
		return nil, unfit(s.Manifest, "it is no snapshot: its artifactType is %.100q, not %s", m.ArtifactType, ArtifactType)
	case m.Config.MediaType != ConfigType:
		return nil, unfit(s.Manifest, "the config's media type is %.100q, not %s", m.Config.MediaType, ConfigType)
	case len(m.Layers) != 1 || m.Layers[0].MediaType != MemoryType:
		return nil, unfit(s.Manifest, "it has %d layers, a snapshot has one, of type %s", len(m.Layers), MemoryType)
	case !isSHA256(m.Config.Digest) || !isSHA256(m.Layers[0].Digest):
		return nil, unfit(s.Manifest, "config and memory must have sha256 digests, not %.100q and %.100q", m.Config.Digest, m.Layers[0].Digest)
	case m.Config.Size <= 0 || m.Config.Size > MaxConfig:
		return nil, unfit(s.Manifest, "the config has %d bytes, the most is %d", m.Config.Size, MaxConfig)
	case m.Layers[0].Size <= 0 || m.Layers[0].Size > MaxMemory || m.Layers[0].Size%abi.PageSize != 0:
		return nil, unfit(s.Manifest, "the memory has %d bytes: not whole pages, up to %d", m.Layers[0].Size, uint64(MaxMemory))
	}
	s.Config, s.Memory = m.Config, m.Layers[0]
	return s, nil
}

// SetConfig decodes the config, whose digest must have been verified.
func (s *Stored) setConfig(text []byte) error {
	config, err := Decode(text)
	if err != nil {
		return within(s.Config, err)
	}
	if size := config.ContentSize(); size != uint64(s.Memory.Size) { //nolint:gosec // G115: ParseManifest has checked it
		return unfit(s.Config, "its runs have %d bytes, the memory layer has %d", size, s.Memory.Size)
	}
	s.Content = config
	return nil
}

// Open opens and verifies the memory.
func (s *Stored) Open(ctx context.Context, l *ocilayout.Layout) (*os.File, error) {
	f, err := l.OpenBlob(s.Memory)
	if err != nil {
		return nil, err
	}
	if err := l.Verify(ctx, f, s.Memory); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// CheckConfig reads a config from anywhere, verifies and checks it.
func (s *Stored) CheckConfig(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, s.Config.Size+1))
	if err != nil {
		return nil, fmt.Errorf("airlock: %w", err)
	}
	if int64(len(text)) != s.Config.Size || digest.FromBytes(text) != s.Config.Digest {
		return nil, unfit(s.Config, "it does not have the digest that the manifest says")
	}
	return text, s.setConfig(text)
}

func isSHA256(d digest.Digest) bool { return d.Validate() == nil && d.Algorithm() == digest.SHA256 }

// blobPath is where a blob is in its layout.
func blobPath(d v1.Descriptor) string {
	if !isSHA256(d.Digest) {
		return v1.ImageIndexFile // that names it
	}
	return filepath.Join(v1.ImageBlobsDir, "sha256", d.Digest.Encoded())
}

func unfit(d v1.Descriptor, format string, args ...any) error {
	return &ocilayout.FormatError{Path: blobPath(d), Reason: fmt.Sprintf(format, args...)}
}

// within names the file in the error of a config.
func within(d v1.Descriptor, err error) error {
	if f, ok := errors.AsType[*ocilayout.FormatError](err); ok {
		f.Path = blobPath(d)
	}
	return err
}
