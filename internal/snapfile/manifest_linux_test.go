package snapfile

import (
	"bytes"
	_ "crypto/sha512" // which an application may use
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

// TestManifestRefusals: each by its own check, before anything else is read.
func TestManifestRefusals(t *testing.T) {
	sha512 := digest.Digest("sha512:" + strings.Repeat("0", 128))
	for _, row := range []struct {
		name  string
		spoil func(m *v1.Manifest)
		want  string
	}{
		{"schema", func(m *v1.Manifest) { m.SchemaVersion = 1 }, "schemaVersion 1"},
		{"config digest", func(m *v1.Manifest) { m.Config.Digest = "nothing" }, "must have sha256 digests"},
		{"config digest of another kind", func(m *v1.Manifest) { m.Config.Digest = sha512 }, "must have sha256 digests"},
		{"memory digest", func(m *v1.Manifest) { m.Layers[0].Digest = "sha256:zz" }, "must have sha256 digests"},
		{"memory digest of another kind", func(m *v1.Manifest) { m.Layers[0].Digest = sha512 }, "must have sha256 digests"},
		{"config large", func(m *v1.Manifest) { m.Config.Size = MaxConfig + 1 }, "the config has 1048577 bytes"},
		{"config empty", func(m *v1.Manifest) { m.Config.Size = 0 }, "the config has 0 bytes"},
		{"memory empty", func(m *v1.Manifest) { m.Layers[0].Size = 0 }, "not whole pages"},
		{"memory negative", func(m *v1.Manifest) { m.Layers[0].Size = -4096 }, "not whole pages"},
		{"memory a page too large", func(m *v1.Manifest) { m.Layers[0].Size = MaxMemory + 4096 }, "not whole pages"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newPlace(t)
			p.manifest(row.spoil)
			_, _, err := load(t.Context(), p.dir, "a")
			refused(t, err, row.want)
		})
	}
}

// TestCheckConfigContent: a digest says who wrote a config, not that it is good.
func TestCheckConfigContent(t *testing.T) {
	_, s := newPlace(t).stored()
	text := encoded(t, nil)
	for _, row := range []struct{ from, to, want string }{
		{`{"version":1,`, `{"version":9,`, "version: it is 9"},
		{`[1023,1]`, `[1020,2]`, "its runs have"},
	} {
		bad := bytes.Replace(text, []byte(row.from), []byte(row.to), 1)
		s.Config.Digest, s.Config.Size = digest.FromBytes(bad), int64(len(bad))
		_, err := s.CheckConfig(bytes.NewReader(bad))
		refused(t, err, row.want)
	}
}
