package ocilayout

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

func create(t *testing.T) *Layout {
	t.Helper()
	l, err := Create(t.Context(), filepath.Join(t.TempDir(), "layout"))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func descriptor(content string) v1.Descriptor {
	return v1.Descriptor{MediaType: v1.MediaTypeImageManifest, Digest: digest.FromString(content), Size: int64(len(content))}
}

func TestValidTag(t *testing.T) {
	for _, tag := range []string{"latest", "v1.0", "_x", "A-b_c.d", strings.Repeat("x", 128)} {
		if !ValidTag(tag) {
			t.Errorf("%q is refused", tag)
		}
	}
	for _, tag := range []string{"", ".x", "-x", "a/b", "a:b", "a b", "ä", "a\n", strings.Repeat("x", 129)} {
		if ValidTag(tag) {
			t.Errorf("%q is allowed", tag)
		}
	}
}

// TestAddBlob gives a name to what has its digest, and to nothing else.
func TestAddBlob(t *testing.T) {
	l := create(t)
	const content = "the content"
	d := descriptor(content)
	for _, wrong := range []string{"", "the conten", "the content!", "THE CONTENT"} {
		if err := l.AddBlob(t.Context(), d, strings.NewReader(wrong)); !errors.Is(err, ErrFormat) {
			t.Errorf("%q was written: %v", wrong, err)
		}
	}
	broken := errors.New("the line is broken")
	if err := l.AddBlob(t.Context(), d, iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a reader that fails: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.AddBlob(ctx, d, strings.NewReader(content)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if _, err := l.ReadBlob(d, 100); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after all that: %v", err)
	}
	if err := l.AddBlob(t.Context(), d, iotest.OneByteReader(strings.NewReader(content))); err != nil {
		t.Fatal(err)
	}
	if got, err := l.ReadBlob(d, 100); err != nil || string(got) != content {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := l.ReadBlob(d, 5); !errors.Is(err, ErrFormat) {
		t.Errorf("with a limit: %v", err)
	}
	for _, bad := range []digest.Digest{"", "sha256", "sha256:", "sha256:../../etc", digest.Digest("sha512:" + strings.Repeat("0", 128))} {
		d.Digest = bad
		_, opened := l.OpenBlob(d)
		_, read := l.ReadBlob(d, 100)
		for _, err := range []error{opened, read, l.AddBlob(t.Context(), d, strings.NewReader(content)), l.Verify(t.Context(), nil, d)} {
			if !errors.Is(err, ErrFormat) {
				t.Errorf("the digest %q: %v", bad, err)
			}
		}
	}
	left, err := filepath.Glob(l.path(blobDir + "/*"))
	if err != nil || len(left) != 1 {
		t.Errorf("there are %q, %v", left, err)
	}
}

// TestManyTags lists some of many, and refuses more than the index may hold.
func TestManyTags(t *testing.T) {
	l := create(t)
	for i := range 25 {
		if err := l.SetTag(t.Context(), fmt.Sprintf("tag%02d", i), descriptor("x")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Resolve("none"); !errors.Is(err, ErrNoTag) || !strings.HasSuffix(err.Error(), `"tag19", ...`) {
		t.Errorf("Resolve() = %v", err)
	}
	d := descriptor("x")
	d.URLs = []string{strings.Repeat("x", MaxDocument)}
	if err := l.SetTag(t.Context(), "large", d); !errors.Is(err, ErrFormat) {
		t.Errorf("a large index: %v", err)
	}
	if tags, err := l.Tags(); err != nil || len(tags) != 25 {
		t.Errorf("then there are %d tags, %v", len(tags), err)
	}
}

// TestCreate makes a layout where nothing is, and nowhere else.
func TestCreate(t *testing.T) {
	l := create(t)
	if _, err := l.Resolve("x"); !errors.Is(err, ErrNoTag) || !strings.HasSuffix(err.Error(), "it has none") {
		t.Errorf("an empty layout: %v", err)
	}
	again, err := Create(t.Context(), l.dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	// What a writer that was killed has left is no obstacle.
	half := t.TempDir()
	if err := errors.Join(os.MkdirAll(filepath.Join(half, blobDir), 0o700),
		os.WriteFile(filepath.Join(half, lockFile), nil, 0o600),
		os.WriteFile(filepath.Join(half, tempPrefix+"x"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if again, err = Create(t.Context(), half); err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	for name, content := range map[string]string{"oci-layout": "{}", "notes.txt": "", "index.json": "{}"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Create(t.Context(), dir); !errors.Is(err, ErrFormat) {
			t.Errorf("beside %s: %v", name, err)
		}
	}
	// A lock that is a link leads nowhere outside.
	trap, target := t.TempDir(), filepath.Join(t.TempDir(), "target")
	if err := os.Symlink(target, filepath.Join(trap, lockFile)); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(t.Context(), trap); err == nil {
		t.Error("a lock that is a link was taken")
	}
	if _, err := os.Stat(target); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made outside: %v", err)
	}
}

func TestErrors(t *testing.T) {
	e := &FormatError{Path: "index.json", Field: "manifests", Reason: "are wrong"}
	if got := e.Error(); got != "airlock: malformed snapshot: index.json: manifests: are wrong" {
		t.Errorf("Error() = %q", got)
	}
	if !errors.Is(fmt.Errorf("x: %w", e), ErrFormat) || errors.Is(e, ErrNoTag) {
		t.Error("Is")
	}
	l := create(t)
	d := descriptor("content")
	if err := l.AddBlob(t.Context(), d, bytes.NewReader([]byte("content"))); err != nil {
		t.Fatal(err)
	}
	f, err := l.OpenBlob(d)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.Verify(t.Context(), f, d); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Verify of a closed file = %v", err)
	}
}
