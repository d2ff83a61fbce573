package airlock_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/airlockvm/airlock"
)

// logSink is a handler that keeps what it gets at its level or above.
type logSink struct {
	level slog.Level

	mu      sync.Mutex
	records []slog.Record // guarded by mu
}

func (s *logSink) Enabled(_ context.Context, level slog.Level) bool { return level >= s.level }
func (s *logSink) WithAttrs([]slog.Attr) slog.Handler               { return s }
func (s *logSink) WithGroup(string) slog.Handler                    { return s }

func (s *logSink) Handle(_ context.Context, r slog.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = append(s.records, r)
	return nil
}

// take returns what there is of a guest, and forgets it.
func (s *logSink) take() []slog.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	records := slices.DeleteFunc(s.records, func(r slog.Record) bool { return attr(r, "source") == "" })
	s.records = nil
	return records
}

func attr(r slog.Record, key string) (value string) {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == key {
			value = a.Value.String()
		}
		return true
	})
	return value
}

// TestGuestLogLevels: each level of the guest is that of the host, and what is
// below the level of the host's logger is not passed on.
func TestGuestLogLevels(t *testing.T) {
	t.Parallel()
	levels := []slog.Level{slog.LevelDebug - 4, slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for skip, level := range levels {
				sink := &logSink{level: level}
				sb := newSandbox(t, guest, airlock.Options{Logger: slog.New(sink)})
				if _, err := sb.Call(t.Context(), "LogLevels", "disk", "is full"); err != nil {
					t.Fatal(err)
				}
				var got []slog.Level
				for _, r := range sink.take() {
					got = append(got, r.Level)
					if r.Message != "is full" || attr(r, "source") != "disk" || attr(r, "guest") != guest {
						t.Errorf("the record is %q, source %q, guest %q", r.Message, attr(r, "source"), attr(r, "guest"))
					}
				}
				if !slices.Equal(got, levels[skip:]) {
					t.Errorf("a logger at %v got %v; want %v", level, got, levels[skip:])
				}
			}
		})
	}
}

// TestGuestLogText: a log takes any text, cut and mended.
func TestGuestLogText(t *testing.T) {
	t.Parallel()
	const most = 8192
	tests := map[string]struct{ text, want string }{
		"empty":     {"", ""},
		"lines":     {"one\ntwo\r\n\x1b[31mred\x00", "one\ntwo\r\n\x1b[31mred\x00"},
		"UTF-8":     {"Grüße", "Grüße"},
		"no UTF-8":  {"a\xff\xfeb\xc3", "a��b�"},
		"longest":   {strings.Repeat("x", most), strings.Repeat("x", most)},
		"too long":  {strings.Repeat("x", most+1), strings.Repeat("x", most-len("…")) + "…"},
		"very long": {strings.Repeat("x", 60000), strings.Repeat("x", most-len("…")) + "…"},
		"surrogate": {strings.Repeat("x", most) + "\xed\xa0\x80", strings.Repeat("x", most-len("…")) + "…"},
	}
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			sink := &logSink{level: slog.LevelDebug}
			sb := newSandbox(t, guest, airlock.Options{Logger: slog.New(sink)})
			for name, test := range tests {
				if _, err := sb.Call(t.Context(), "LogBytes", []byte(test.text)); err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				records := sink.take()
				if len(records) != 1 || records[0].Message != test.want {
					t.Errorf("%s: %d records, %.300v", name, len(records), records)
					continue
				}
				if value := attr(records[0], "guest.key"); !utf8.ValidString(value) || len(value) > 1024 {
					t.Errorf("%s: the attribute has %d bytes: %.100q", name, len(value), value)
				}
			}
		})
	}
}

// TestGuestLogFlood: of too many records the first thousand of each call are
// passed on, and one of the host's that says so.
func TestGuestLogFlood(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
			sb := newSandbox(t, guest, airlock.Options{Logger: logger})
			for _, test := range []struct{ sent, got, warnings int }{{1000, 1000, 0}, {1500, 1000, 1}, {2, 2, 0}, {1001, 1000, 1}} {
				out.Reset()
				if _, err := sb.Call(t.Context(), "Log", test.sent, "flood"); err != nil {
					t.Fatal(err)
				}
				n, warnings := strings.Count(out.String(), "msg=flood"), strings.Count(out.String(), "level=WARN")
				if n != test.got || warnings != test.warnings {
					t.Errorf("of %d records %d were passed on, with %d warnings; want %d and %d",
						test.sent, n, warnings, test.got, test.warnings)
				}
			}
		})
	}
}

// TestGuestLogLine: a line of the log stays one line, whatever the guest says,
// and says which guest it was.
func TestGuestLogLine(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelInfo}))
			named, err := airlock.NewGuest("a guest\nof two lines", builtGuests.file(t, guest))
			if err != nil {
				t.Fatal(err)
			}
			sb := sandboxOf(t, named, airlock.Options{Logger: logger})
			if _, err := sb.Call(t.Context(), "Log", 2, "line\nlevel=ERROR"); err != nil {
				t.Fatal(err)
			}
			want := []string{`level=INFO msg="line\nlevel=ERROR" guest="a guest\nof two lines" source=test`, "guest.i=1"}
			for _, want := range want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the log lacks %s:\n%s", want, &out)
				}
			}
			if n := strings.Count(out.String(), "\n"); n != 2 {
				t.Errorf("two records are %d lines", n)
			}
		})
	}
}

// endingWriter is a writer that nobody reads from, until the context ends.
type endingWriter struct {
	ctx    context.Context //nolint:containedctx // that of one call, which is the life of the writer
	cancel context.CancelFunc
}

func (w *endingWriter) Write([]byte) (int, error) {
	w.cancel()
	<-w.ctx.Done()
	return 0, w.ctx.Err()
}

// TestCancelWriter: when a writer fails because the context has ended, the call
// was cancelled; the guest doesn't die of a broken pipe before.
func TestCancelWriter(t *testing.T) {
	t.Parallel()
	for guest := range callGuests {
		t.Run(guest, func(t *testing.T) {
			t.Parallel()
			for range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				sb := newSandbox(t, guest, airlock.Options{Stdout: &endingWriter{ctx, cancel}})
				if _, err := sb.Call(ctx, "Print", "x"); !errors.Is(err, context.Canceled) {
					t.Fatalf("Call = %v", err)
				}
				if err := sb.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
