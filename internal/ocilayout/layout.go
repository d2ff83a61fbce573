package ocilayout

import (
	"context"
	_ "crypto/sha256" // for package digest, which has no algorithm of its own
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
	specs "github.com/opencontainers/image-spec/specs-go"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// MaxDocument is the most bytes of an index or a manifest.
const MaxDocument = 1 << 20

const (
	blobDir = v1.ImageBlobsDir + "/sha256"
	// lockFile is what writers of the index lock. It stays.
	lockFile = "airlock.lock"
	// Snapshots hold what the guest knew: for the owner only.
	dirMode, fileMode = 0o700, 0o600
)

// Layout is an open layout directory.
type Layout struct {
	dir  string
	root *os.Root
}

// Open opens a layout for reading.
func Open(dir string) (*Layout, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("airlock: %w", err)
	}
	l := &Layout{dir: dir, root: root}
	if err := l.checkVersion(); err != nil {
		_ = root.Close()
		return nil, err
	}
	return l, nil
}

// Create opens a layout for reading and writing, and makes it first if there is
// none: in a new directory, or in one that is empty.
func Create(ctx context.Context, dir string) (*Layout, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, fmt.Errorf("airlock: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("airlock: %w", err)
	}
	l := &Layout{dir: dir, root: root}
	if err := l.create(ctx); err != nil {
		_ = root.Close()
		return nil, err
	}
	return l, nil
}

func (l *Layout) create(ctx context.Context) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	switch err := l.checkVersion(); {
	case err == nil:
		return l.makeBlobDir()
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	// Not into a directory of something else.
	entries, err := os.ReadDir(l.dir)
	if err != nil {
		return fmt.Errorf("airlock: %w", err)
	}
	for _, e := range entries {
		if e.Name() != lockFile && e.Name() != v1.ImageBlobsDir && !strings.HasPrefix(e.Name(), tempPrefix) {
			return l.malformed(v1.ImageLayoutFile, "there is none, and the directory is not empty: name another one")
		}
	}
	if err := l.makeBlobDir(); err != nil {
		return err
	}
	index := v1.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: v1.MediaTypeImageIndex, Manifests: []v1.Descriptor{}}
	if err := l.replaceJSON(v1.ImageIndexFile, index); err != nil {
		return err
	}
	// Last, because it is what makes a directory a layout.
	return l.replaceJSON(v1.ImageLayoutFile, v1.ImageLayout{Version: v1.ImageLayoutVersion})
}

func (l *Layout) makeBlobDir() error {
	if err := l.root.MkdirAll(blobDir, dirMode); err != nil {
		return l.wrap(blobDir, err)
	}
	return l.checkBlobDir()
}

// checkBlobDir refuses symbolic links in place of the directories. One that comes
// later leads nowhere outside either: the root sees to that.
func (l *Layout) checkBlobDir() error {
	for _, name := range []string{v1.ImageBlobsDir, blobDir} {
		info, err := l.root.Lstat(name)
		if err != nil {
			return l.wrap(name, err)
		}
		if !info.IsDir() {
			return l.malformed(name, "it is not a directory (symbolic links are refused)")
		}
	}
	return nil
}

// Close closes the directory. Files that were opened stay open.
func (l *Layout) Close() error { return l.root.Close() }

func (l *Layout) path(name string) string { return filepath.Join(l.dir, filepath.FromSlash(name)) }

// wrap adds the whole path to an error of the root, which names only a part.
func (l *Layout) wrap(name string, err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = p.Err
	}
	return fmt.Errorf("airlock: %s: %w", l.path(name), err)
}

func (l *Layout) checkVersion() error {
	var layout v1.ImageLayout
	if err := l.readJSON(v1.ImageLayoutFile, &layout); err != nil {
		return err
	}
	if layout.Version != v1.ImageLayoutVersion {
		return l.malformed(v1.ImageLayoutFile, "it is an OCI image layout of version %.20q, only %s is understood", layout.Version, v1.ImageLayoutVersion)
	}
	return nil
}

// openRegular opens a file that must be a regular one: no symbolic link, and
// nothing on which to open or read blocks.
func (l *Layout) openRegular(name string) (*os.File, fs.FileInfo, error) {
	// What is opened is compared with what was looked at: in between, a link may have
	// taken its place, or the next index.
	for range 100 {
		named, err := l.root.Lstat(name)
		if err != nil {
			return nil, nil, l.wrap(name, err)
		}
		if !named.Mode().IsRegular() {
			return nil, nil, l.malformed(name, "it is not a regular file (symbolic links are refused)")
		}
		f, err := l.root.OpenFile(name, os.O_RDONLY|openFlags, 0)
		if err != nil {
			return nil, nil, l.wrap(name, err)
		}
		opened, err := f.Stat()
		if err == nil && os.SameFile(named, opened) {
			return f, opened, nil
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, nil, l.wrap(name, err)
		}
	}
	return nil, nil, l.malformed(name, "it is replaced again and again while it is opened")
}

// read reads a whole file of at most limit bytes.
func (l *Layout) read(name string, limit int64) ([]byte, error) {
	f, info, err := l.openRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info.Size() > limit {
		return nil, l.malformed(name, "it has %d bytes, the most is %d", info.Size(), limit)
	}
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, l.wrap(name, err)
	case int64(len(text)) > limit:
		return nil, l.malformed(name, "it has more than %d bytes", limit)
	}
	return text, nil
}

func (l *Layout) readJSON(name string, v any) error {
	text, err := l.read(name, MaxDocument)
	if err != nil {
		return err
	}
	// Fields that nobody knows are allowed, as the specification of OCI wants it.
	if err := json.Unmarshal(text, v); err != nil {
		return l.malformed(name, "%.300v", err)
	}
	return nil
}

func (l *Layout) index() (*v1.Index, error) {
	index := new(v1.Index)
	if err := l.readJSON(v1.ImageIndexFile, index); err != nil {
		return nil, err
	}
	if index.SchemaVersion != 2 {
		return nil, l.malformed(v1.ImageIndexFile, "its schemaVersion is %d, not 2", index.SchemaVersion)
	}
	return index, nil
}

// Tagged is a manifest with its tag.
type Tagged struct {
	Tag        string
	Descriptor v1.Descriptor
}

// Tags returns the manifests that have a tag, sorted by that.
func (l *Layout) Tags() ([]Tagged, error) {
	index, err := l.index()
	if err != nil {
		return nil, err
	}
	var list []Tagged
	for _, d := range index.Manifests {
		if tag := d.Annotations[v1.AnnotationRefName]; tag != "" {
			list = append(list, Tagged{tag, d})
		}
	}
	slices.SortStableFunc(list, func(a, b Tagged) int { return strings.Compare(a.Tag, b.Tag) })
	return list, nil
}

// Resolve returns the manifest with a tag. If there is none the error is an
// [ErrNoTag], which lists those that there are.
func (l *Layout) Resolve(tag string) (v1.Descriptor, error) {
	list, err := l.Tags()
	if err != nil {
		return v1.Descriptor{}, err
	}
	var found []v1.Descriptor
	var tags []string
	for _, t := range list {
		if t.Tag == tag {
			found = append(found, t.Descriptor)
		}
		tags = append(tags, fmt.Sprintf("%.128q", t.Tag))
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return v1.Descriptor{}, fmt.Errorf("%w: %s has no %q, it has %s", ErrNoTag, l.dir, tag, tagList(tags))
	}
	return v1.Descriptor{}, l.malformed(v1.ImageIndexFile, "the tag %q is there %d times", tag, len(found))
}

func tagList(tags []string) string {
	const most = 20
	switch n := len(tags); {
	case n == 0:
		return "none"
	case n > most:
		return strings.Join(tags[:most], ", ") + ", ..."
	}
	return strings.Join(tags, ", ")
}

var tagForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$`)

// ValidTag reports whether a text may be a tag, here and in registries.
func ValidTag(tag string) bool { return tagForm.MatchString(tag) }

// blobName returns the file of a blob.
func (l *Layout) blobName(d digest.Digest) (string, error) {
	// Validate demands the form of the digest, and with it that the name is no path.
	if err := d.Validate(); err != nil || d.Algorithm() != digest.SHA256 {
		return "", l.malformed(v1.ImageIndexFile, "%.100q is not a sha256 digest", string(d))
	}
	return path.Join(blobDir, d.Encoded()), nil
}

// ReadBlob reads a blob of at most limit bytes and verifies it.
func (l *Layout) ReadBlob(d v1.Descriptor, limit int64) ([]byte, error) {
	name, err := l.blobName(d.Digest)
	if err != nil {
		return nil, err
	}
	if d.Size > limit {
		return nil, l.malformed(name, "it is to have %d bytes, the most is %d", d.Size, limit)
	}
	if err := l.checkBlobDir(); err != nil {
		return nil, err
	}
	text, err := l.read(name, limit)
	if err != nil {
		return nil, err
	}
	if int64(len(text)) != d.Size {
		return nil, l.malformed(name, "it has %d bytes instead of %d: it is damaged", len(text), d.Size)
	}
	if digest.FromBytes(text) != d.Digest {
		return nil, l.malformed(name, "its content does not have the digest that its name says: it is damaged")
	}
	return text, nil
}

// OpenBlob opens a blob whose size is right. Verify its content before it is
// used.
func (l *Layout) OpenBlob(d v1.Descriptor) (*os.File, error) {
	name, err := l.blobName(d.Digest)
	if err != nil {
		return nil, err
	}
	if err := l.checkBlobDir(); err != nil {
		return nil, err
	}
	f, info, err := l.openRegular(name)
	if err != nil {
		return nil, err
	}
	if info.Size() != d.Size {
		_ = f.Close()
		return nil, l.malformed(name, "it has %d bytes instead of %d: it is damaged", info.Size(), d.Size)
	}
	return f, nil
}

// Verify reads the whole of an open blob and compares its digest.
func (l *Layout) Verify(ctx context.Context, f *os.File, d v1.Descriptor) error {
	name, err := l.blobName(d.Digest)
	if err != nil {
		return err
	}
	verifier := d.Digest.Verifier()
	n, err := io.Copy(verifier, reader(ctx, "verify", d.Size, io.NewSectionReader(f, 0, d.Size)))
	switch {
	case err != nil:
		return l.wrap(name, err)
	case n != d.Size || !verifier.Verified():
		return l.malformed(name, "its content does not have the digest that its name says: it is damaged")
	}
	return nil
}
