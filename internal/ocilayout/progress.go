package ocilayout

import (
	"context"
	"io"
)

// Progress is told how far long work on a blob has got: what is done with it,
// how many bytes of how many.
type Progress func(what string, done, total int64)

type progressKey struct{}

// WithProgress returns a context with which blobs are written and verified, and
// that is told of it.
func WithProgress(ctx context.Context, p Progress) context.Context {
	return context.WithValue(ctx, progressKey{}, p)
}

// reader returns r, ended by the context and watched by who wants to know.
func reader(ctx context.Context, what string, total int64, r io.Reader) io.Reader {
	p, _ := ctx.Value(progressKey{}).(Progress)
	return &contextReader{ctx: ctx, what: what, total: total, r: r, progress: p}
}

type contextReader struct {
	ctx         context.Context //nolint:containedctx // of one copy
	what        string
	done, total int64
	r           io.Reader
	progress    Progress
}

// Read reads some, and not more than a piece between two looks at the context.
func (c *contextReader) Read(p []byte) (int, error) {
	if c.ctx.Err() != nil {
		return 0, context.Cause(c.ctx)
	}
	n, err := c.r.Read(p)
	c.done += int64(n)
	if c.progress != nil && n > 0 {
		c.progress(c.what, c.done, c.total)
	}
	return n, err
}
