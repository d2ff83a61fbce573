//go:build linux

package snapfile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/airlockvm/airlock/internal/ocilayout"
)

// content is as much memory as the sample has, beginning with a number.
func content(n byte) []byte {
	b := bytes.Repeat([]byte{7}, 4*4096)
	b[0] = n
	return b
}

func encoded(tb testing.TB, change func(c *Config)) []byte {
	tb.Helper()
	c := sample(tb)
	if change != nil {
		change(c)
	}
	text, err := c.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

// load is all of reading a snapshot.
func load(ctx context.Context, dir, tag string) (*Stored, []byte, error) {
	l, err := ocilayout.Open(dir)
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	s, err := Find(l, tag)
	if err != nil {
		return nil, nil, err
	}
	f, err := s.Open(ctx, l)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	memory := make([]byte, s.Memory.Size)
	_, err = f.ReadAt(memory, 0)
	return s, memory, err
}

func TestWriteAndLoad(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "layout")
	text := encoded(t, nil)
	for _, n := range []byte{1, 2, 2} {
		if err := Write(t.Context(), dir, "a", text, content(n)); err != nil {
			t.Fatal(err)
		}
		s, memory, err := load(t.Context(), dir, "a")
		if err != nil {
			t.Fatal(err)
		}
		if s.Tag != "a" || s.Content.Guest != "sample & co" || !bytes.Equal(memory, content(n)) {
			t.Errorf("loaded %+v", s)
		}
	}
	if err := Write(t.Context(), dir, "b", text, content(1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(t.Context(), dir, "c"); !errors.Is(err, ocilayout.ErrNoTag) || !strings.Contains(err.Error(), `it has "a", "b"`) {
		t.Errorf("a tag that is not there: %v", err)
	}
	// One config, two contents, a manifest for each: content is there once.
	blobs, err := os.ReadDir(filepath.Join(dir, "blobs/sha256"))
	if err != nil || len(blobs) != 5 {
		t.Errorf("there are %d blobs, %v", len(blobs), err)
	}
	for _, b := range blobs {
		if info, err := b.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", b.Name(), info.Mode(), err)
		}
	}
}

func TestWriteRefusals(t *testing.T) {
	dir := t.TempDir()
	refused(t, Write(t.Context(), dir, "a", encoded(t, nil), content(1)[1:]), "the content 16383")
	refused(t, Write(t.Context(), dir, "a", []byte("{"), content(1)), "unexpected end")
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "thesis.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, Write(t.Context(), other, "a", encoded(t, nil), content(1)), "not empty")
	if err := Write(t.Context(), filepath.Join(other, "thesis.txt"), "a", encoded(t, nil), content(1)); err == nil {
		t.Error("it was written into a file")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Write(ctx, dir, "a", encoded(t, nil), content(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "thesis.txt")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// TestConcurrent writes and reads from many goroutines: no tag is lost, and
// whatever is read is whole.
func TestConcurrent(t *testing.T) {
	dir := t.TempDir()
	text := encoded(t, nil)
	const writers = 8
	var group sync.WaitGroup
	done := make(chan struct{})
	for i := range writers {
		group.Go(func() {
			for range 5 {
				if err := Write(t.Context(), dir, fmt.Sprint("tag", i), text, content(byte(i))); err != nil {
					t.Error(err)
				}
				if err := Write(t.Context(), dir, "all", text, content(byte(i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				_, memory, err := load(t.Context(), dir, "all")
				if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ocilayout.ErrNoTag) {
					t.Errorf("a reader found %v", err)
					return
				}
				if err == nil && !bytes.Equal(memory, content(memory[0])) {
					t.Error("a reader found a mixture")
				}
			}
		})
	}
	group.Wait()
	close(done)
	readers.Wait()
	for i := range writers {
		if _, memory, err := load(t.Context(), dir, fmt.Sprint("tag", i)); err != nil || memory[0] != byte(i) {
			t.Errorf("tag%d: %v", i, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/.airlock-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

// TestProgress is told of all bytes.
func TestProgress(t *testing.T) {
	dir := t.TempDir()
	seen := map[string]int64{}
	ctx := ocilayout.WithProgress(t.Context(), func(what string, done, total int64) {
		if total == 4*4096 && done == total {
			seen[what]++
		}
	})
	if err := Write(ctx, dir, "a", encoded(t, nil), content(1)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(ctx, dir, "a"); err != nil {
		t.Fatal(err)
	}
	if seen["write"] != 1 || seen["verify"] != 1 {
		t.Errorf("progress: %v", seen)
	}
}

// place is a layout directory that a test takes apart.
type place struct {
	t   testing.TB
	dir string
}

func newPlace(tb testing.TB) place {
	tb.Helper()
	p := place{tb, tb.TempDir()}
	if err := Write(tb.Context(), p.dir, "a", encoded(tb, nil), content(1)); err != nil {
		tb.Fatal(err)
	}
	return p
}

func (p place) file(name string) string { return filepath.Join(p.dir, filepath.FromSlash(name)) }

func (p place) write(name string, text []byte) {
	p.t.Helper()
	_ = os.Remove(p.file(name))
	if err := os.WriteFile(p.file(name), text, 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) edit(name string, from, to string) {
	p.t.Helper()
	text, err := os.ReadFile(p.file(name))
	if err != nil {
		p.t.Fatal(err)
	}
	changed := strings.Replace(string(text), from, to, 1)
	if changed == string(text) {
		p.t.Fatalf("%s has no %q:\n%s", name, from, text)
	}
	p.write(name, []byte(changed))
}

func (p place) blob(text []byte) v1.Descriptor {
	d := digest.FromBytes(text)
	p.write("blobs/sha256/"+d.Encoded(), text)
	return v1.Descriptor{Digest: d, Size: int64(len(text))}
}

// stored opens the layout until the test ends, and finds the snapshot in it.
func (p place) stored() (*ocilayout.Layout, *Stored) {
	p.t.Helper()
	l, err := ocilayout.Open(p.dir)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = l.Close() })
	s, err := Find(l, "a")
	if err != nil {
		p.t.Fatal(err)
	}
	return l, s
}

// manifest puts a changed manifest into the index.
func (p place) manifest(change func(m *v1.Manifest)) {
	p.t.Helper()
	l, s := p.stored()
	text, err := l.ReadBlob(s.Manifest, ocilayout.MaxDocument)
	if err != nil {
		p.t.Fatal(err)
	}
	var m v1.Manifest
	if err := json.Unmarshal(text, &m); err != nil {
		p.t.Fatal(err)
	}
	change(&m)
	if text, err = json.Marshal(m); err != nil {
		p.t.Fatal(err)
	}
	if err := Tag(p.t.Context(), l, "a", text); err != nil {
		p.t.Fatal(err)
	}
}

// find returns the file name of a part.
func (p place) find(part func(s *Stored) v1.Descriptor) string {
	p.t.Helper()
	_, s := p.stored()
	return "blobs/sha256/" + part(s).Digest.Encoded()
}

func memoryOf(s *Stored) v1.Descriptor   { return s.Memory }
func configOf(s *Stored) v1.Descriptor   { return s.Config }
func manifestOf(s *Stored) v1.Descriptor { return s.Manifest }

func (p place) link(name string) {
	p.t.Helper()
	target := filepath.Join(p.t.TempDir(), "target")
	if err := os.Rename(p.file(name), target); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Symlink(target, p.file(name)); err != nil {
		p.t.Fatal(err)
	}
}

func (p place) truncate(name string, size int64) {
	p.t.Helper()
	if err := os.Truncate(p.file(name), size); err != nil {
		p.t.Fatal(err)
	}
}

func TestLayoutRefusals(t *testing.T) {
	for _, row := range []struct {
		name  string
		spoil func(p place)
		want  string
	}{
		{"layout version", func(p place) { p.edit("oci-layout", "1.0.0", "2.0.0") }, "version"},
		{"layout link", func(p place) { p.link("oci-layout") }, "oci-layout: it is not a regular file"},
		{"layout garbage", func(p place) { p.write("oci-layout", []byte("x")) }, "oci-layout: invalid character"},
		{"layout large", func(p place) { p.truncate("oci-layout", 1<<20+1) }, "the most is"},
		{"index link", func(p place) { p.link("index.json") }, "index.json: it is not a regular file"},
		{"index garbage", func(p place) { p.write("index.json", []byte("[]")) }, "index.json: json"},
		{"index large", func(p place) { p.truncate("index.json", 1<<40) }, "the most is"},
		{"index version", func(p place) { p.edit("index.json", `"schemaVersion": 2`, `"schemaVersion": 1`) }, "schemaVersion"},
		{"index pipe", func(p place) { p.pipe("index.json") }, "index.json: it is not a regular file"},
		{"index directory", func(p place) {
			p.write("index.json", nil)
			_ = os.Remove(p.file("index.json"))
			_ = os.Mkdir(p.file("index.json"), 0o700)
		}, "not a regular file"},
		{"tag twice", func(p place) {
			text, _ := os.ReadFile(p.file("index.json"))
			var index v1.Index
			_ = json.Unmarshal(text, &index)
			index.Manifests = append(index.Manifests, index.Manifests[0])
			text, _ = json.Marshal(index)
			p.write("index.json", text)
		}, `the tag "a" is there 2 times`},
		{"index leads to an index", func(p place) {
			p.edit("index.json", v1.MediaTypeImageManifest+`",
      "digest`, v1.MediaTypeImageIndex+`",
      "digest`)
		}, "not to a manifest"},
		{"digest without a colon", func(p place) { p.edit("index.json", "sha256:", "sha256") }, "not a sha256 digest"},
		{"digest that is a path", func(p place) { p.edit("index.json", "sha256:", "sha256:../../") }, "not a sha256 digest"},
		{"digest of another kind", func(p place) {
			p.edit("index.json", "sha256:", "sha512:"+strings.Repeat("0", 64))
		}, "not a sha256 digest"},
		{"manifest of no digest and no kind", func(p place) {
			p.edit("index.json", v1.MediaTypeImageManifest+`",
      "digest": "sha256:`, `x",
      "digest": "`)
		}, "not to a manifest"},
		{"manifest link", func(p place) { p.link(p.find(manifestOf)) }, "not a regular file"},
		{"manifest changed", func(p place) { p.edit(p.find(manifestOf), "snapshot.v1", "snapshot.v2") }, "damaged"},
		{"manifest truncated", func(p place) { p.truncate(p.find(manifestOf), 5) }, "5 bytes instead of"},
		{"manifest large", func(p place) { p.edit("index.json", `"size": `, `"size": 99999999`) }, "the most is"},
		{"manifest garbage", func(p place) {
			l, _ := ocilayout.Open(p.dir)
			defer l.Close()
			_ = Tag(p.t.Context(), l, "a", []byte("garbage"))
		}, "invalid character"},
		{"artifact type", func(p place) { p.manifest(func(m *v1.Manifest) { m.ArtifactType = "application/vnd.other" }) }, "it is no snapshot"},
		{"manifest kind", func(p place) { p.manifest(func(m *v1.Manifest) { m.MediaType = v1.MediaTypeImageIndex }) }, "the manifest is a"},
		{"config kind", func(p place) { p.manifest(func(m *v1.Manifest) { m.Config.MediaType = v1.MediaTypeImageConfig }) }, "the config's media type"},
		{"layer kind", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers[0].MediaType = v1.MediaTypeImageLayerGzip }) }, "of type"},
		{"no layer", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers = nil }) }, "it has 0 layers"},
		{"two layers", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers = append(m.Layers, m.Layers[0]) }) }, "it has 2 layers"},
		{"config large", func(p place) { p.manifest(func(m *v1.Manifest) { m.Config.Size = MaxConfig + 1 }) }, "the most is"},
		{"config negative", func(p place) { p.manifest(func(m *v1.Manifest) { m.Config.Size = -1 }) }, "the most is"},
		{"config digest", func(p place) { p.manifest(func(m *v1.Manifest) { m.Config.Digest = "nothing" }) }, "sha256"},
		{"memory digest", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers[0].Digest = "sha256:zz" }) }, "sha256"},
		{"memory huge", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers[0].Size = 1 << 60 }) }, "not whole pages"},
		{"memory odd", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers[0].Size-- }) }, "not whole pages"},
		{"memory of another size than the runs", func(p place) { p.manifest(func(m *v1.Manifest) { m.Layers[0].Size += 4096 }) }, "its runs have 16384 bytes"},
		{"memory of another digest", func(p place) {
			p.manifest(func(m *v1.Manifest) { m.Layers[0].Digest = p.blob(content(9)).Digest })
			p.edit(p.find(memoryOf), "\x07", "\x08")
		}, "digest"},
		{"memory changed", func(p place) { p.edit(p.find(memoryOf), "\x07", "\x08") }, "damaged"},
		{"memory truncated", func(p place) { p.truncate(p.find(memoryOf), 4096) }, "4096 bytes instead of 16384"},
		{"memory link", func(p place) { p.link(p.find(memoryOf)) }, "not a regular file"},
		{"config changed", func(p place) { p.edit(p.find(configOf), "sample", "simple") }, "damaged"},
		{"config link", func(p place) { p.link(p.find(configOf)) }, "not a regular file"},
		{"config of another version", func(p place) {
			p.manifest(func(m *v1.Manifest) {
				d := p.blob([]byte(`{"version":9}`))
				m.Config.Digest, m.Config.Size = d.Digest, d.Size
			})
		}, "version: it is 9"},
		{"config garbage", func(p place) {
			p.manifest(func(m *v1.Manifest) {
				d := p.blob([]byte(`garbage`))
				m.Config.Digest, m.Config.Size = d.Digest, d.Size
			})
		}, "invalid character"},
		{"blobs link", func(p place) { p.link("blobs") }, "blobs: it is not a directory"},
		{"sha256 link", func(p place) { p.link("blobs/sha256") }, "sha256: it is not a directory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlace(t)
			row.spoil(p)
			_, _, err := load(t.Context(), p.dir, "a")
			refused(t, err, row.want)
		})
	}
}

// TestMissing files are errors of the system.
func TestMissing(t *testing.T) {
	for _, part := range []func(p place) string{
		func(place) string { return "oci-layout" },
		func(place) string { return "index.json" },
		func(p place) string { return p.find(manifestOf) },
		func(p place) string { return p.find(configOf) },
		func(p place) string { return p.find(memoryOf) },
	} {
		p := newPlace(t)
		name := part(p)
		if err := os.Remove(p.file(name)); err != nil {
			t.Fatal(err)
		}
		if _, _, err := load(t.Context(), p.dir, "a"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if _, _, err := load(t.Context(), filepath.Join(t.TempDir(), "none"), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// TestRepair writes over what is damaged.
func TestRepair(t *testing.T) {
	for _, spoil := range []func(p place){
		func(p place) { p.truncate(p.find(memoryOf), 10) },
		func(p place) { p.edit(p.find(memoryOf), "\x07", "\x08") },
		func(p place) { p.link(p.find(configOf)) },
	} {
		p := newPlace(t)
		spoil(p)
		if err := Write(t.Context(), p.dir, "a", encoded(t, nil), content(1)); err != nil {
			t.Fatal(err)
		}
		if _, memory, err := load(t.Context(), p.dir, "a"); err != nil || !bytes.Equal(memory, content(1)) {
			t.Errorf("after writing again: %v", err)
		}
	}
}

// TestOthers keeps what somebody else has put into the index.
func TestOthers(t *testing.T) {
	p := newPlace(t)
	p.edit("index.json", `"manifests": [`, `"manifests": [{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"sha256:`+strings.Repeat("0", 64)+`","size":3,"annotations":{"org.opencontainers.image.ref.name":"image","x":"y"}},`)
	if err := Write(t.Context(), p.dir, "b", encoded(t, nil), content(2)); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(p.file("index.json"))
	if err != nil || !strings.Contains(string(text), `"x": "y"`) {
		t.Errorf("the index is %s, %v", text, err)
	}
	_, _, err = load(t.Context(), p.dir, "image")
	refused(t, err, "not to a manifest")
}

// TestLock waits for whoever changes the index, but not longer than the context.
func TestLock(t *testing.T) {
	p := newPlace(t)
	unlock := p.lock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := Write(ctx, p.dir, "b", encoded(t, nil), content(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the index is locked: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, unlock)
	if err := Write(t.Context(), p.dir, "b", encoded(t, nil), content(1)); err != nil {
		t.Error(err)
	}
}

func TestCheckConfig(t *testing.T) {
	_, s := newPlace(t).stored()
	text := encoded(t, nil)
	if got, err := s.CheckConfig(bytes.NewReader(text)); err != nil || !bytes.Equal(got, text) {
		t.Errorf("CheckConfig() = %v", err)
	}
	for _, wrong := range [][]byte{nil, text[1:], append(text, ' '), bytes.Replace(text, []byte("sample"), []byte("simple"), 1)} {
		_, err := s.CheckConfig(bytes.NewReader(wrong))
		refused(t, err, "digest")
	}
}

// goldenLayout is a layout that was written by hand, with the smallest files that
// the format allows.
func TestGoldenLayout(t *testing.T) {
	config, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	memory := content(1)
	dir := layout(t, seedLayout, seedIndex, seedManifest, config, memory)
	s, got, err := load(t.Context(), dir, "latest")
	if err != nil {
		t.Fatal(err)
	}
	if s.Content.Guest != "sample & co" || !bytes.Equal(got, memory) {
		t.Errorf("loaded %+v", s)
	}
}

const (
	seedLayout = `{"imageLayoutVersion":"1.0.0"}`
	seedIndex  = `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"@manifest","size":"@manifest size","annotations":{"org.opencontainers.image.ref.name":"latest"}}]}`

	seedManifest = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"application/vnd.airlock.snapshot.v1",` +
		`"config":{"mediaType":"application/vnd.airlock.snapshot.config.v1+json","digest":"@config","size":"@config size"},` +
		`"layers":[{"mediaType":"application/vnd.airlock.snapshot.memory.v1","digest":"@memory","size":"@memory size"}]}`
)

// layout makes a layout of the texts, in which the digests and sizes that begin
// with @ are filled in.
func layout(tb testing.TB, about, index, manifest string, config, memory []byte) string {
	tb.Helper()
	p := place{tb, tb.TempDir()}
	if err := os.MkdirAll(p.file("blobs/sha256"), 0o700); err != nil {
		tb.Fatal(err)
	}
	fill := func(text, name string, content []byte) string {
		d := p.blob(content)
		text = strings.ReplaceAll(text, `"@`+name+` size"`, fmt.Sprint(d.Size))
		return strings.ReplaceAll(text, "@"+name, string(d.Digest))
	}
	manifest = fill(fill(manifest, "config", config), "memory", memory)
	p.write("oci-layout", []byte(about))
	p.write("index.json", []byte(fill(index, "manifest", []byte(manifest))))
	return p.dir
}

// FuzzLayout reads directories of any content.
func FuzzLayout(f *testing.F) {
	config, err := os.ReadFile(golden)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seedLayout, seedIndex, seedManifest, config, content(1))
	f.Add(seedLayout, seedIndex, strings.Replace(seedManifest, "@memory", "sha256", 1), config, []byte{})
	f.Add(seedLayout, strings.Replace(seedIndex, "@manifest", "../@manifest", 1), seedManifest, []byte("{}"), content(1))
	f.Add(`{}`, `{}`, `{}`, []byte{}, []byte{})
	f.Fuzz(func(t *testing.T, about, index, manifest string, config, memory []byte) {
		s, got, err := load(t.Context(), layout(t, about, index, manifest, config, memory), "latest")
		if err != nil {
			if !errors.Is(err, ocilayout.ErrFormat) && !errors.Is(err, ErrIncompatible) && !errors.Is(err, ocilayout.ErrNoTag) && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("an error without a name: %v", err)
			}
			return
		}
		if uint64(len(got)) != s.Content.ContentSize() || !bytes.Equal(got, memory) {
			t.Errorf("%d bytes of memory were loaded", len(got))
		}
	})
}
