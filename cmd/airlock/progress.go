package main

import (
	"context"
	"io"
	"time"

	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/schollz/progressbar/v3"
)

// progress shows how far long work is: to people, and only if they have to wait.
type progress struct {
	w       io.Writer // nil if nobody looks
	started time.Time
	total   int64
	bar     *progressbar.ProgressBar // nil until it takes long
}

// patience is how long people wait without being told what for.
const patience = 500 * time.Millisecond

func newProgress(w io.Writer) *progress {
	p := &progress{started: time.Now()}
	if isTerminal(w) {
		p.w = w
	}
	return p
}

// context returns a context whose work is shown.
func (p *progress) context(ctx context.Context) context.Context {
	if p.w == nil {
		return ctx
	}
	return ocilayout.WithProgress(ctx, p.show)
}

func (p *progress) show(what string, done, total int64) {
	if p.bar != nil && (p.total != total || done == total) {
		p.close()
	}
	p.total = total
	if p.bar == nil {
		if done == total || time.Since(p.started) < patience {
			return
		}
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.w), progressbar.OptionSetDescription(what),
			progressbar.OptionShowBytes(true), progressbar.OptionUseIECUnits(true), progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	}
	_ = p.bar.Set64(done) // to a terminal that is gone, perhaps
}

// close takes the bar away.
func (p *progress) close() {
	if p.bar != nil {
		_ = p.bar.Clear()
		p.bar = nil
	}
}

// reader returns r, the reading of which is shown.
func (p *progress) reader(what string, total int64, r io.Reader) io.Reader {
	if p.w == nil {
		return r
	}
	return &progressReader{p, what, 0, total, r}
}

type progressReader struct {
	p           *progress
	what        string
	done, total int64
	r           io.Reader
}

// Read reads and shows it.
func (r *progressReader) Read(b []byte) (int, error) {
	n, err := r.r.Read(b)
	r.done += int64(n)
	r.p.show(r.what, r.done, r.total)
	return n, err
}
