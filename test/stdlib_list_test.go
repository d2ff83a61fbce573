package test

// Why tests can't work in a sandbox.
const (
	needsFiles   = "it reads or writes files"
	needsNetwork = "it uses sockets"
	needsProcess = "it starts another process"
)

// suites are run always.
var suites = []suite{
	{pkg: "bufio", skip: []skipped{{needsNetwork, []string{"TestCopyUnixpacket"}}}},
	{pkg: "bytes"},
	{pkg: "compress/flate", skip: []skipped{{needsFiles, []string{
		"TestWriteBlock", "TestWriteBlockDynamic", "TestWriterPersistentWriteError",
	}}}},
	{pkg: "container/heap"},
	{pkg: "context", skip: []skipped{{needsNetwork, []string{"ExampleAfterFunc_connection"}}}},
	{pkg: "crypto/sha256"},
	{pkg: "encoding/json", skip: []skipped{{needsNetwork, []string{"TestHTTPDecoding"}}}},
	{pkg: "math"},
	{pkg: "regexp", skip: []skipped{{needsFiles, []string{"TestRE2Search"}}}},
	{pkg: "sort"},
	{pkg: "strconv"},
	{pkg: "strings"},
	{pkg: "sync", skip: []skipped{
		{needsFiles, []string{"ExampleOnceValues"}},
		{needsProcess, []string{"TestMutexMisuse", "TestIssue76126"}},
	}},
	{pkg: "sync/atomic"},
	{pkg: "time", skip: []skipped{{needsFiles, []string{"TestLoadLocationFromTZData", "TestLoadLocationFromTZDataSlim"}}}},
	{pkg: "unicode/utf8"},
}

// moreSuites are run as well in the long form.
var moreSuites = []suite{}
