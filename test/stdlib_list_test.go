package test

import "time"

// Why tests can't work in a sandbox.
func files(names ...string) skipped     { return skipped{"they read or write files", names} }
func network(names ...string) skipped   { return skipped{"they use sockets", names} }
func processes(names ...string) skipped { return skipped{"they start processes", names} }
func privileges(names ...string) skipped {
	return skipped{"they change capabilities, which no program in a sandbox has", names}
}

// suites are run always.
var suites = []suite{
	{pkg: "bufio", skip: []skipped{network("TestCopyUnixpacket")}},
	{pkg: "bytes"},
	{pkg: "compress/flate", skip: []skipped{files("TestWriteBlock", "TestWriteBlockDynamic", "TestWriterPersistentWriteError")}},
	{pkg: "container/heap"},
	{pkg: "context", skip: []skipped{network("ExampleAfterFunc_connection")}},
	{pkg: "crypto/sha256"},
	{pkg: "encoding/json", skip: []skipped{network("TestHTTPDecoding")}},
	{pkg: "math"},
	{pkg: "regexp", skip: []skipped{files("TestRE2Search")}},
	{pkg: "sort"},
	{pkg: "strconv"},
	{pkg: "strings"},
	{pkg: "sync", skip: []skipped{files("ExampleOnceValues"), processes("TestMutexMisuse", "TestIssue76126")}},
	{pkg: "sync/atomic"},
	{pkg: "time", skip: []skipped{files("TestLoadLocationFromTZData", "TestLoadLocationFromTZDataSlim")}},
	{pkg: "unicode/utf8"},
}

// moreSuites are run as well in the long form.
var moreSuites = []suite{
	{pkg: "cmp"},
	{pkg: "compress/gzip", skip: []skipped{files("TestIssue6550", "FuzzReader"), network("Example_compressingReader")}},
	{pkg: "compress/lzw", skip: []skipped{files("TestWriter")}},
	{pkg: "compress/zlib", skip: []skipped{files("TestWriterBig", "TestWriterDict", "TestWriterReset")}},
	{pkg: "container/list"},
	{pkg: "container/ring"},
	{pkg: "crypto/aes"},
	{pkg: "crypto/cipher", skip: []skipped{processes("TestGCMNoncesFIPSV1", "TestGCMNoncesFIPSV126")}},
	{pkg: "crypto/ecdh"},
	{pkg: "crypto/ecdsa"},
	{pkg: "crypto/ed25519", skip: []skipped{files("TestGolden")}},
	{pkg: "crypto/elliptic"},
	{pkg: "crypto/hmac"},
	{pkg: "crypto/internal/fips140/edwards25519"},
	{pkg: "crypto/internal/fips140/mldsa"},
	{pkg: "crypto/md5"},
	{pkg: "crypto/mlkem"},
	{pkg: "crypto/rand"},
	{pkg: "crypto/rsa", skip: []skipped{files("TestPSSGolden")}},
	{pkg: "crypto/sha1"},
	{pkg: "crypto/sha3"},
	{pkg: "crypto/sha512"},
	{pkg: "crypto/subtle"},
	{pkg: "crypto/x509", skip: []skipped{files(
		"TestParsePolicies", "TestNISTPKITSPolicy", "TestEnvVars", "TestLoadSystemCertsLoadColonSeparatedDirs",
		"TestReadUniqueDirectoryEntries", "TestPoliciesValid", "TestInvalidPolicyWithAnyKeyUsage",
	)}},
	{pkg: "database/sql"},
	{pkg: "encoding/asn1"},
	{pkg: "encoding/base64"},
	{pkg: "encoding/binary"},
	{pkg: "encoding/csv"},
	{pkg: "encoding/gob"},
	{pkg: "encoding/hex"},
	{pkg: "encoding/pem"},
	{pkg: "encoding/xml"},
	{pkg: "errors"},
	{pkg: "expvar"},
	{pkg: "fmt"},
	{pkg: "go/ast"},
	{pkg: "go/constant"},
	{pkg: "go/scanner"},
	{pkg: "go/token"},
	{pkg: "hash/crc32"},
	{pkg: "hash/maphash"},
	{pkg: "html/template", skip: []skipped{files(
		"TestParseFiles", "TestParseGlob", "TestParseFS", "TestParseFilesWithData", "TestParseGlobWithData", "TestParseZipFS",
	)}},
	{pkg: "image/draw", skip: []skipped{files("TestPaletted")}},
	{pkg: "index/suffixarray"},
	{pkg: "internal/poll"},
	{pkg: "internal/runtime/atomic"},
	{pkg: "internal/runtime/gc/scan"}, // AVX-512
	{pkg: "internal/runtime/maps"},
	{pkg: "internal/sync"},
	{pkg: "io", skip: []skipped{files(
		"TestOffsetWriter_Seek", "TestOffsetWriter_WriteAt", "TestWriteAt_PositionPriorToBase", "TestOffsetWriter_Write",
	)}},
	{pkg: "iter"},
	{pkg: "log"},
	{pkg: "log/slog"},
	{pkg: "maps"},
	{pkg: "math/big"},
	{pkg: "math/bits"},
	{pkg: "math/cmplx"},
	{pkg: "math/rand"},
	{pkg: "math/rand/v2"},
	{pkg: "net/netip"},
	{pkg: "net/textproto"},
	{pkg: "net/url"},
	{pkg: "os/signal", skip: []skipped{
		processes("TestAtomicStop", "TestNotifyContextNotifications"), privileges("TestAllThreadsSyscallSignals"),
	}},
	{pkg: "os/user"},
	{pkg: "path"},
	{pkg: "reflect"},
	{pkg: "regexp/syntax"},
	{pkg: "runtime", limit: longLimit, memory: 1 << 30, skip: []skipped{
		files("TestSchedPauseMetrics", "TestMemmoveOverflow", "ExampleAddCleanup"),
		processes(
			"TestFinalizerRegisterABI", "TestRuntimePanic", "TestTracebackRuntimeFunction", "TestTracebackRuntimeMethod",
			"TestG0StackOverflow", "TestCrashWhileTracing", "TestIssue66841", "TestArenaCollision", "TestMemHashGlobalSeed",
			"TestTracebackSystem",
		),
	}},
	{pkg: "runtime/debug", skip: []skipped{files(
		"TestWriteHeapDumpNonempty", "TestWriteHeapDumpFinalizers", "TestWriteHeapDumpTypeName", "TestSetCrashOutput",
	)}},
	{pkg: "runtime/pprof", limit: longLimit, memory: 1 << 30, skip: []skipped{files("TestAtomicLoadStore64", "TestTracebackAll")}},
	{pkg: "runtime/trace"},
	{pkg: "slices"},
	{pkg: "testing/quick"},
	{pkg: "text/scanner"},
	{pkg: "text/tabwriter"},
	{pkg: "text/template", skip: []skipped{files(
		"TestParseFiles", "TestParseGlob", "TestParseFS", "TestParseFilesWithData", "TestParseGlobWithData",
	)}},
	{pkg: "text/template/parse"},
	{pkg: "unicode"},
	{pkg: "unicode/utf16"},
	{pkg: "unique"},
	{pkg: "weak"},
}

// longLimit is for what takes a minute on a machine with nothing else to do.
const longLimit = 5 * time.Minute
