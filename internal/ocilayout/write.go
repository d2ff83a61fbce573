package ocilayout

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"time"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// tempPrefix begins the names of files that are being written.
const tempPrefix = ".airlock-"

// lock waits for the right to change the index.
func (l *Layout) lock(ctx context.Context) (unlock func(), err error) {
	f, err := l.root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE|openFlags, fileMode)
	if err != nil {
		return nil, l.wrap(lockFile, err)
	}
	// Polling, because a wait in the kernel would not see the context's end. Who
	// holds the lock reads and writes two small files.
	for pause := time.Millisecond; ; pause = min(2*pause, 50*time.Millisecond) {
		done, err := tryLock(f)
		if done {
			return func() { _ = f.Close() }, nil // which unlocks it
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = context.Cause(ctx)
			case <-time.After(pause):
				continue
			}
		}
		_ = f.Close()
		return nil, l.wrap(lockFile, err)
	}
}

// replace makes a file have a content, at once and for good.
func (l *Layout) replace(name string, content io.Reader) (err error) {
	temp := path.Join(path.Dir(name), tempPrefix+rand.Text())
	f, err := l.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return l.wrap(temp, err)
	}
	defer func() {
		if err != nil {
			_ = l.root.Remove(temp)
		}
	}()
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return l.wrap(temp, err)
	}
	if err := l.root.Rename(temp, name); err != nil {
		return l.wrap(name, err)
	}
	if err := syncDir(l.root, path.Dir(name)); err != nil {
		return l.wrap(path.Dir(name), err)
	}
	return nil
}

func (l *Layout) replaceJSON(name string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	if len(text) > MaxDocument {
		return l.malformed(name, "it would have %d bytes, the most is %d: begin another directory", len(text), MaxDocument)
	}
	return l.replace(name, bytes.NewReader(append(text, '\n')))
}

// AddBlob writes a blob, unless it is there. Content that does not have the
// digest and size that the descriptor says is refused.
func (l *Layout) AddBlob(ctx context.Context, d v1.Descriptor, content io.Reader) error {
	name, err := l.blobName(d.Digest)
	if err != nil {
		return err
	}
	if err := l.checkBlobDir(); err != nil {
		return err
	}
	if err := l.haveBlob(ctx, d); err == nil || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, ErrFormat) {
		return err
	}
	// One that is damaged is replaced; whoever has it mapped keeps what he has.
	verifier := d.Digest.Verifier()
	limited := io.LimitReader(content, d.Size+1)
	checked := &checkedReader{reader(ctx, "write", d.Size, io.TeeReader(limited, verifier)), func(n int64) error {
		if n != d.Size || !verifier.Verified() {
			return l.malformed(name, "what was to be written has %d bytes and another digest: it was changed on its way", n)
		}
		return nil
	}, 0}
	return l.replace(name, checked)
}

func (l *Layout) haveBlob(ctx context.Context, d v1.Descriptor) error {
	f, err := l.OpenBlob(d)
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // it was only read
	return l.Verify(ctx, f, d)
}

// checkedReader asks at the end whether all is well, so that what isn't never
// gets its name.
type checkedReader struct {
	r     io.Reader
	check func(n int64) error
	n     int64
}

func (c *checkedReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err == io.EOF {
		if bad := c.check(c.n); bad != nil {
			return n, bad
		}
	}
	return n, err
}

// SetTag makes a tag lead to a manifest, whose blobs must all be there. What
// other writers do at the same time is kept.
func (l *Layout) SetTag(ctx context.Context, tag string, manifest v1.Descriptor) error {
	unlock, err := l.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	index, err := l.index()
	if err != nil {
		return err
	}
	manifests := []v1.Descriptor{}
	for _, d := range index.Manifests {
		if d.Annotations[v1.AnnotationRefName] != tag {
			manifests = append(manifests, d)
		}
	}
	manifest.Annotations = map[string]string{v1.AnnotationRefName: tag}
	index.Manifests = append(manifests, manifest)
	return l.replaceJSON(v1.ImageIndexFile, index)
}
