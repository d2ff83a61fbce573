package ocilayout

import (
	_ "crypto/sha512" // which an application may use
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// TestSizeOfBlob: what a descriptor says of the size must be right as well, even if
// the digest is.
func TestSizeOfBlob(t *testing.T) {
	const content = "the content"
	for _, more := range []int64{-1, 1} {
		l := create(t)
		d := descriptor(content)
		d.Size += more
		if err := l.AddBlob(t.Context(), d, strings.NewReader(content)); !errors.Is(err, ErrFormat) {
			t.Errorf("a blob of %d bytes was written as one of %d: %v", len(content), d.Size, err)
		}
		if _, err := l.ReadBlob(descriptor(content), 100); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("after that: %v", err)
		}
	}
	l := create(t)
	d := descriptor(content)
	if err := l.AddBlob(t.Context(), d, strings.NewReader(content)); err != nil {
		t.Fatal(err)
	}
	if _, err := l.ReadBlob(d, d.Size); err != nil {
		t.Errorf("a blob at the limit: %v", err)
	}
	if _, err := l.ReadBlob(d, d.Size-1); !errors.Is(err, ErrFormat) {
		t.Errorf("a blob above the limit: %v", err)
	}
	d.Digest = digest.SHA512.FromString(content)
	if err := l.AddBlob(t.Context(), d, strings.NewReader(content)); !errors.Is(err, ErrFormat) {
		t.Errorf("a blob with a sha512 digest was written: %v", err)
	}
	if _, err := l.ReadBlob(d, 100); !errors.Is(err, ErrFormat) {
		t.Errorf("a blob with a sha512 digest is asked for: %v", err)
	}
}
