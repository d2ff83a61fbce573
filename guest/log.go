package guest

import (
	"context"
	"log/slog"
	"runtime"
	"slices"

	"github.com/airlockvm/airlock/internal/wire"
)

// NewLogHandler returns a handler that sends records to the host's logger,
// where they carry the guest's name and the source, a word for the part of the
// program that speaks. Records below the level are not sent. Records outside
// calls are lost, as are those that the host has no room for: it takes a limited
// number in each call.
func NewLogHandler(source string, level slog.Leveler) slog.Handler {
	return &logHandler{source: source, level: level}
}

type logHandler struct {
	source string
	level  slog.Leveler
	prefix string // of groups
	attrs  []wire.Attr
}

func (h *logHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	record := wire.LogRecord{Level: wireLevel(r.Level), Message: r.Message, Source: h.source, Attrs: slices.Clip(h.attrs)}
	r.Attrs(func(a slog.Attr) bool {
		record.Attrs = h.add(record.Attrs, a)
		return len(record.Attrs) < wire.MaxLogAttrs
	})
	if r.PC != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{r.PC}).Next()
		record.File, record.Line = frame.File, uint32(frame.Line) //nolint:gosec // G115: a line number
	}
	return exchange(operationLog,
		func(buffer []byte) (int, error) { return wire.PutLogRecord(buffer, &record) }, ignore, nil)
}

func wireLevel(level slog.Level) wire.Level {
	switch {
	case level < slog.LevelDebug:
		return wire.LevelTrace
	case level < slog.LevelInfo:
		return wire.LevelDebug
	case level < slog.LevelWarn:
		return wire.LevelInfo
	case level < slog.LevelError:
		return wire.LevelWarn
	}
	return wire.LevelError
}

// add appends an attribute, flattened, while there is room.
func (h *logHandler) add(attrs []wire.Attr, a slog.Attr) []wire.Attr {
	value := a.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		inner := &logHandler{prefix: h.prefix}
		if a.Key != "" {
			inner.prefix += a.Key + "."
		}
		for _, member := range value.Group() {
			attrs = inner.add(attrs, member)
		}
		return attrs
	}
	if a.Equal(slog.Attr{}) || len(attrs) == wire.MaxLogAttrs {
		return attrs
	}
	return append(attrs, wire.Attr{Key: h.prefix + a.Key, Value: value.String()})
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append([]wire.Attr(nil), h.attrs...)
	for _, a := range attrs {
		c.attrs = c.add(c.attrs, a)
	}
	return &c
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.prefix += name + "."
	return &c
}
