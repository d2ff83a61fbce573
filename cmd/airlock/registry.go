package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/airlockvm/airlock/internal/ocilayout"
	"github.com/airlockvm/airlock/internal/snapfile"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/spf13/cobra"
	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/credentials"
	"oras.land/oras-go/v2/registry/remote/retry"
)

const registryHelp = `
REGISTRY is HOST or HOST:PORT, of any OCI registry. Credentials are those that
'docker login' or 'oras login' has stored. Registries on this machine, and with
--plain-http others, are spoken to without TLS. TAG is that of DIR if it is not
given.`

func newSnapshotPushCommand() *cobra.Command {
	plainHTTP := false
	cmd := &cobra.Command{
		Use:   "push [FLAG...] DIR[:TAG] REGISTRY/REPOSITORY[:TAG]",
		Short: "Copy a snapshot to a registry",
		Long: `Copy a snapshot from a directory to a registry. What the registry has already is
not sent again.
` + registryHelp,
		Example:               `  airlock snapshot push snapshots:greeter registry.example/team/greeter:v1`,
		DisableFlagsInUseLine: true,
		Args:                  wantPlace(2, "REGISTRY/REPOSITORY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, to, err := parseTransfer(args[0], args[1], plainHTTP)
			if err != nil {
				return err
			}
			watch := newProgress(cmd.ErrOrStderr())
			defer watch.close()
			return push(watch.context(cmd.Context()), from, to, watch)
		},
	}
	cmd.Flags().BoolVar(&plainHTTP, "plain-http", false, "speak to the registry without TLS")
	return cmd
}

func newSnapshotPullCommand() *cobra.Command {
	plainHTTP := false
	cmd := &cobra.Command{
		Use:   "pull [FLAG...] DIR[:TAG] REGISTRY/REPOSITORY[:TAG]",
		Short: "Copy a snapshot from a registry",
		Long: `Copy a snapshot from a registry to a directory, which is made if there is none.
What the directory has already is not fetched again. All that is fetched is
verified. REGISTRY/REPOSITORY@DIGEST fetches what has just that digest.
` + registryHelp,
		Example:               `  airlock snapshot pull snapshots:greeter registry.example/team/greeter:v1`,
		DisableFlagsInUseLine: true,
		Args:                  wantPlace(2, "REGISTRY/REPOSITORY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			to, from, err := parseTransfer(args[0], args[1], plainHTTP)
			if err != nil {
				return err
			}
			watch := newProgress(cmd.ErrOrStderr())
			defer watch.close()
			return pull(watch.context(cmd.Context()), from, to)
		},
	}
	cmd.Flags().BoolVar(&plainHTTP, "plain-http", false, "speak to the registry without TLS")
	return cmd
}

// parseTransfer reads both ends of a transfer.
func parseTransfer(local, far string, plainHTTP bool) (place, *remote.Repository, error) {
	where, err := parsePlace(local)
	if err != nil {
		return where, nil, err
	}
	where = where.tagged()
	reference, err := registry.ParseReference(far)
	if err != nil {
		return where, nil, usageError{fmt.Sprintf("%s: %v: a snapshot in a registry is REGISTRY/REPOSITORY:TAG", name(far), err)}
	}
	if reference.Reference == "" {
		reference.Reference = where.tag
	}
	client := &auth.Client{
		Client: retry.DefaultClient, Cache: auth.NewCache(),
		Header: http.Header{"User-Agent": {"airlock/" + version()}},
	}
	// Without a home directory there are no credentials; most registries give things
	// to anybody.
	if store, err := credentials.NewStoreFromDocker(credentials.StoreOptions{}); err == nil {
		client.Credential = credentials.Credential(store)
	}
	return where, &remote.Repository{Client: client, Reference: reference, PlainHTTP: plainHTTP || isLocal(reference.Host())}, nil
}

// isLocal reports whether a registry is on this machine.
func isLocal(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func registryFailure(repository *remote.Repository, err error) error {
	return failure{fmt.Sprintf("%s: %s", clip(repository.Reference.String()), plain(err)), err}
}

// push sends config and memory first, so that the manifest never leads nowhere.
func push(ctx context.Context, from place, to *remote.Repository, watch *progress) error {
	if _, err := digest.Parse(to.Reference.Reference); err == nil {
		return usageError{"a snapshot is pushed to a tag, not to a digest"}
	}
	layout, err := ocilayout.Open(from.dir)
	if err != nil {
		return err
	}
	defer layout.Close() //nolint:errcheck // it was only read
	stored, err := snapfile.Find(layout, from.tag)
	if err != nil {
		return err
	}
	manifest, err := layout.ReadBlob(stored.Manifest, ocilayout.MaxDocument)
	if err != nil {
		return err
	}
	memory, err := stored.Open(ctx, layout)
	if err != nil {
		return err
	}
	defer memory.Close() //nolint:errcheck // it was only read
	config, err := layout.ReadBlob(stored.Config, snapfile.MaxConfig)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		descriptor v1.Descriptor
		content    io.Reader
	}{
		{stored.Config, bytes.NewReader(config)},
		{stored.Memory, watch.reader("push", stored.Memory.Size, io.NewSectionReader(memory, 0, stored.Memory.Size))},
	} {
		there, err := to.Blobs().Exists(ctx, part.descriptor)
		if err == nil && !there {
			err = to.Blobs().Push(ctx, part.descriptor, part.content)
		}
		if err != nil {
			return registryFailure(to, err)
		}
	}
	if err := to.Manifests().PushReference(ctx, stored.Manifest, bytes.NewReader(manifest), to.Reference.Reference); err != nil {
		return registryFailure(to, err)
	}
	return nil
}

// pull fetches a snapshot. The registry is not trusted: nothing is larger than it
// may be, and everything has its digest before it is used.
func pull(ctx context.Context, from *remote.Repository, to place) error {
	manifest, err := fetchManifest(ctx, from)
	if err != nil {
		return registryFailure(from, err)
	}
	stored, err := snapfile.ParseManifest(manifest)
	if err != nil {
		return registryFailure(from, err)
	}
	content, err := from.Blobs().Fetch(ctx, stored.Config)
	if err != nil {
		return registryFailure(from, err)
	}
	config, err := stored.CheckConfig(content)
	if err = errors.Join(err, content.Close()); err != nil {
		return registryFailure(from, err)
	}
	layout, err := ocilayout.Create(ctx, to.dir)
	if err != nil {
		return err
	}
	defer layout.Close() //nolint:errcheck // what was written is closed
	if err := layout.AddBlob(ctx, stored.Config, bytes.NewReader(config)); err != nil {
		return err
	}
	memory := &lazyReader{open: func() (io.ReadCloser, error) { return from.Blobs().Fetch(ctx, stored.Memory) }}
	err = layout.AddBlob(ctx, stored.Memory, memory)
	if err = errors.Join(err, memory.Close()); err != nil {
		return registryFailure(from, err)
	}
	return snapfile.Tag(ctx, layout, to.tag, manifest)
}

func fetchManifest(ctx context.Context, from *remote.Repository) ([]byte, error) {
	d, content, err := from.Manifests().FetchReference(ctx, from.Reference.Reference)
	if err != nil {
		return nil, err
	}
	defer content.Close() //nolint:errcheck // it was only read
	text, err := io.ReadAll(io.LimitReader(content, ocilayout.MaxDocument+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > ocilayout.MaxDocument:
		return nil, fmt.Errorf("the manifest has more than %d bytes", ocilayout.MaxDocument)
	case digest.FromBytes(text) != d.Digest:
		return nil, fmt.Errorf("the manifest does not have the digest %s", d.Digest)
	}
	return text, nil
}

// lazyReader opens what it reads at the first Read: a blob that is there already
// is not asked for.
type lazyReader struct {
	open func() (io.ReadCloser, error)
	r    io.ReadCloser
}

// Read reads.
func (l *lazyReader) Read(p []byte) (int, error) {
	if l.r == nil {
		r, err := l.open()
		if err != nil {
			return 0, err
		}
		l.r = r
	}
	return l.r.Read(p)
}

// Close closes what was opened.
func (l *lazyReader) Close() error {
	if l.r == nil {
		return nil
	}
	return l.r.Close()
}
