package test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/airlockvm/airlock"
	"github.com/airlockvm/airlock/internal/kvmtest"
)

// busyboxPath finds a static busybox: Debian's package busybox-static.
func busyboxPath(t *testing.T) string {
	t.Helper()
	kvmtest.Require(t)
	path := os.Getenv("AIRLOCK_BUSYBOX")
	if path == "" {
		var err error
		if path, err = exec.LookPath("busybox"); err != nil {
			kvmtest.Skip(t, "there is no busybox: install Debian's package busybox-static")
		}
	}
	if _, err := airlock.LoadGuest(path); err != nil {
		if _, ok := errors.AsType[*airlock.GuestFormatError](err); ok {
			kvmtest.Skip(t, "busybox is not static, install Debian's package busybox-static: "+err.Error())
		}
		t.Fatal(err)
	}
	return path
}

// The text that most commands get: lines of many lengths, with a number, words
// and some UTF-8 in each.
var busyboxText = func() string {
	var b strings.Builder
	for i := range 4000 {
		n := i * 7919 % 4001
		fmt.Fprintf(&b, "%d:word%d:%s ünï\tx\n", n, n%17, strings.Repeat("ab ", n%23))
	}
	return b.String()
}()

// busyboxCase is a command that must do in a sandbox what it does on the host.
type busyboxCase struct {
	name  string
	args  []string
	stdin string
}

func command(stdin string, args ...string) busyboxCase {
	return busyboxCase{strings.Join(args, " "), args, stdin}
}

// script is a shell script that the shell reads from stdin, without forks.
func script(name string, lines ...string) busyboxCase {
	return busyboxCase{"sh: " + name, []string{"sh"}, strings.Join(lines, "\n") + "\n"}
}

// TestBusybox runs commands of busybox in a sandbox and on the host and compares
// what they print and their exit codes.
func TestBusybox(t *testing.T) {
	t.Parallel()
	path := busyboxPath(t)
	for _, list := range [][]busyboxCase{busyboxCommands(), busyboxPrograms(), busyboxScripts()} {
		for _, test := range list {
			t.Run(test.name, func(t *testing.T) {
				t.Parallel()
				native := exec.Command(path, test.args...)
				native.Dir = t.TempDir()
				native.Env = []string{}
				native.Stdin = strings.NewReader(test.stdin)
				var stdout, stderr bytes.Buffer
				native.Stdout, native.Stderr = &stdout, &stderr
				var exit *exec.ExitError
				if err := native.Run(); err != nil && !errors.As(err, &exit) {
					t.Fatal(err)
				}
				want := native.ProcessState.ExitCode()

				result := runBusybox(t, path, test.stdin, test.args...)
				if result.err != nil || result.code != want {
					t.Errorf("code %d, error %v; on the host: code %d, stderr %q", result.code, result.err, want, &stderr)
				}
				compareText(t, "stdout", result.stdout.String(), stdout.String())
				compareText(t, "stderr", result.stderr.String(), stderr.String())
			})
		}
	}
}

func runBusybox(t *testing.T, path, stdin string, args ...string) outcome {
	t.Helper()
	guest, err := airlock.LoadGuest(path)
	if err != nil {
		t.Fatal(err)
	}
	return run(t, program{
		guest: guest, process: airlock.Process{Args: args, Stdin: strings.NewReader(stdin)}, deadline: hang,
	})
}

// compareText reports the first difference.
func compareText(t *testing.T, name, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	excerpt := func(s string) string { return s[max(0, at-40):min(len(s), at+80)] }
	t.Errorf("%s differs from the host's at byte %d of %d and %d:\n  sandbox %q\n  host    %q",
		name, at, len(got), len(want), excerpt(got), excerpt(want))
}

// busyboxCommands are small filters.
func busyboxCommands() []busyboxCase {
	text := busyboxText
	return []busyboxCase{
		command(text, "sha256sum"), command(text, "sha1sum"), command(text, "sha512sum"), command(text, "sha3sum"),
		command(text, "md5sum"), command(text, "cksum"), command(text, "crc32"),
		command(text, "sort"), command(text, "sort", "-n"), command(text, "sort", "-r", "-u"),
		command(text, "sort", "-t:", "-k2,2", "-k1,1n"),
		command(text, "wc"), command(text, "wc", "-l"), command(text, "wc", "-c"), command(text, "wc", "-w"),
		command(text, "tr", "a-z", "A-Z"), command(text, "tr", "-d", "0-9\n"), command(text, "tr", "-s", "ab "),
		command(text, "cut", "-d:", "-f2"), command(text, "cut", "-c1-5"), command(text, "cut", "-b3-"),
		command(text, "head"), command(text, "head", "-n", "100"), command(text, "head", "-c", "5000"),
		command(text, "tail"), command(text, "tail", "-n", "+3990"), command(text, "tail", "-c", "100"),
		command(text, "grep", "word3:"), command(text, "grep", "-c", "^1.*ab"), command(text, "grep", "-v", "a"),
		command(text, "grep", "-E", "-o", "[0-9]+(1|2):"), command(text, "grep", "nothing"),
		command(text, "uniq", "-c"), command(text, "rev"), command(text, "tac"), command(text, "nl"),
		command(text, "fold", "-w", "11"), command(text, "fold", "-s"), command(text, "expand"), command(text, "cat", "-A"),
		command(text, "base64"), command(text, "base32"), command(text, "uuencode", "name"), command(text, "od", "-c"),
		command(text, "hexdump", "-C"), command(text, "xxd"), command(text, "paste", "-d,", "-", "-", "-"),
		command(text, "gzip", "-c"), command(text, "gzip", "-9", "-c"), command(text, "bzip2", "-c"),
		command(text, "dd", "bs=100", "count=50", "status=none"), command(text, "dd", "bs=64k", "status=none"),
		command(text, "strings"), command(text, "cat"), command(text, "cat", "-", "/nothing/here"),
		command("", "cat"), command("", "wc"), command("no newline", "sort"), command("a\x00b", "od", "-x"),
		command("aGVsbG8=\n", "base64", "-d"), command("not base64!", "base64", "-d"),
		command("", "echo", "-e", `a\tb\x41\0101`), command("", "printf", "%s|%5d|%-5s|%x|%08.3f\n", "s", "42", "l", "255", "3.14159"),
		command("", "seq", "1", "3", "20"), command("", "seq", "-w", "8", "12"), command("", "factor", "1234567890", "97"),
		command("", "expr", "6", "*", "7"), command("", "expr", "abc", ":", "a\\(.\\)c"), command("", "expr", "1", "/", "0"),
		command("", "basename", "/a/b.c", ".c"), command("", "dirname", "/a/b.c"), command("", "test", "1", "-gt", "2"),
		command("", "true"), command("", "false"), command("", "sleep", "0.05"), command("", "usleep", "1000"),
		command("", "date", "-u", "-d", "@1234567890", "+%Y-%m-%dT%H:%M:%S %a %j %U"), command("", "cal", "2", "2024"),
		command("", "no-such-applet"), command("", "sort", "--no-such-option"), command("", "yes-it-is", "x"),
		command("", "env", "-i"), command("", "tty"), command("", "arch"), command("", "getopt", "ab:", "-a", "-b", "x", "y"),
	}
}

// busyboxPrograms are awk, sed and bc programs.
func busyboxPrograms() []busyboxCase {
	text := busyboxText
	return []busyboxCase{
		command(text, "awk", "-F:", "{ sum[$2] += $1 } END { for (i = 0; i < 17; i++) print i, sum[\"word\" i] }"),
		command(text, "awk", "{ n += length($0); w += NF } END { print NR, n, w }"),
		command(text, "awk", "-F:", "$1 % 100 == 0 { gsub(/ab /, \"<&>\"); print toupper($2), substr($0, 3, 20) }"),
		command(text, "awk", "-v", "x=3", "BEGIN { OFS = \"-\" } NR % x == 1 { $1 = $1; print; if (++n > 5) exit 4 }"),
		command("", "awk", "BEGIN { for (i = 0; i < 20; i++) printf \"%.12g %.6e %s\\n\", sin(i), exp(i), sqrt(i) }"),
		command("", "awk", "BEGIN { print log(10), atan2(1, 2), int(-3.7), 2 ** 40, 7 % 3, 1e300 * 1e300, cos(0) }"),
		command("", "awk", "function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } BEGIN { print f(21) }"),
		command("", "awk", "BEGIN { n = split(\"b,c,a\", p, /,/); print n, p[1] p[2] p[3], index(\"hello\", \"l\"), match(\"foobar\", /o+/), RLENGTH }"),
		command("", "awk", "BEGIN { while (i++ < 20000) s = s \"x\"; print length(s) }"),
		command("", "awk", "BEGIN { syntax error"),
		command(text, "sed", "s/ab/AB/g; 10q"), command(text, "sed", "-n", "/word5:/p"), command(text, "sed", "-n", "$="),
		command(text, "sed", "-E", `s/^([0-9]+):([a-z0-9]+):.*$/\2=\1/`), command(text, "sed", "-n", "100,110{=;p}"),
		command(text, "sed", "1!G;h;$!d"), command(text, "sed", "y/abc/xyz/; s/x/&&/3"), command(text, "sed", "N;P;D"),
		command("", "sed", "s/x"), command("one\ntwo\n", "sed", "a\\\nadded"),
		command("2^200\n1/3\nscale=50\n1/3\nsqrt(2)\n", "bc"),
		command("define f(n) { if (n < 2) return 1; return n * f(n - 1) }\nf(60)\nobase=16\n65535\nibase=2\n1011\n", "bc"),
		command("scale=30\n4*a(1)\ne(1)\ns(1)\nl(10)\n", "bc", "-l"),
		command("for (i = 0; i < 300; i++) { x = (x * 1103515245 + 12345) % 2147483648; if (i % 30 == 0) x }\n", "bc"),
		command("1/0\n", "bc"), command("2 3 + p 40 v p [la p] sa 5 la x\n", "dc"),
	}
}

// busyboxScripts use what the shell does itself.
func busyboxScripts() []busyboxCase {
	return []busyboxCase{
		script("loops", "i=0", "while [ $i -lt 1000 ]; do i=$((i + 1)); [ $((i % 100)) -eq 0 ] && echo $i; done",
			"for x in a 'b c' d; do for y in 1 2; do echo \"$x$y\"; done; done", "until [ $i -le 990 ]; do i=$((i-1)); done; echo $i",
			"for i in 1 2 3 4 5; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done"),
		script("arithmetic", "echo $((2 + 3 * 4)) $((7 / 2)) $((7 % 3)) $((-7 / 2)) $((1 << 40)) $((0x1f & 017)) $((5 > 3 ? 10 : 20))",
			"x=5; echo $((x += 3)) $((x++)) $x $((~x)) $((!0)) $((1 == 1 && 2 > 3))", "echo $((9223372036854775807 + 1))"),
		script("functions", "fact() { local n=$1; if [ $n -le 1 ]; then echo 1; return; fi; r=1; while [ $n -gt 1 ]; do r=$((r * n)); n=$((n - 1)); done; echo $r; }",
			"fact 20", "f() { shift; echo \"$# $*\"; return 7; }; f a b 'c d'; echo $?", "r() { [ $1 -gt 0 ] && { echo $1; r $(($1 - 1)); }; }; r 30"),
		script("case", "for x in apple banana cherry 42 '*'; do case $x in a*) echo A;; b*|c*) echo BC;; [0-9]*) echo number;; \\*) echo star;; *) echo other;; esac; done"),
		script("read", "while read -r a b; do echo \"[$a] [$b]\"; done <<END", "one two three", "  four\\t  five", "six", "END",
			"IFS=: read x y z", "1:2:3:4", "echo \"$x $y $z\"", "read -r line", "raw \\n line", "echo \"$line\""),
		script("expansions", "a=hello.tar.gz; echo ${a%.*} ${a%%.*} ${a#*.} ${a##*.} ${#a} ${b:-default} ${b:=set} $b ${a:+alt} ${a/l/L} ${a:1:3}",
			"set -- 1 2 3; echo $# $1 ${3} \"$@\"; shift 2; echo $1", "x='a  b'; echo $x \"$x\"", "echo *nothing*", "echo ~ \"$HOME|\" $0 $-"),
		script("printf", "printf '%s %d %x %o %c %e %5.2f|%-6s|%06d\\n' text 42 255 8 char 1234.5 3.14159 ab 42", "printf '%b' 'a\\tb\\n'", "printf '%s\\n' 1 2 3",
			"echo -n no newline; echo; echo -e 'a\\nb'", "printf '%d\\n' notanumber; echo $?"),
		script("quoting", `echo 'single "quoted"' "double \"quoted\" \$x \\" back\ slash`, "x='$HOME'; eval \"echo $x\"", "echo \"a", "b\"", "echo a#b # comment"),
		script("tests", "[ a = a ] && echo eq; [ -z '' -a -n x ] && echo and; [ 3 -gt 2 ] || echo no; [ -e /nothing ] || echo absent; ! false && echo not; test x; echo $?; [; echo $?"),
		script("status", "false; echo $?; true; echo $?; nosuchcommand 2>/dev/null; echo $?; set -e; false; echo never"),
		script("exit code", "echo before; exit 77; echo after"),
		script("traps", "trap 'echo got USR1' USR1; kill -USR1 $$; echo after; trap 'echo bye' EXIT; trap '' TERM; kill -TERM $$; echo alive"),
		script("redirections", "echo err >&2; echo out; { echo a; echo b; } >&2; exec 3>&1; echo three >&3; echo gone >/dev/null; cat </nothing; echo $?", "exec 3>&-; echo x >&3; echo $?"),
		script("set -u", "set -u; echo ${defined-no}; echo $undefined; echo never"),
		script("syntax error", "echo one", "if true; then", "done"),
		script("getopts", "set -- -a -b val -c rest; while getopts ab:c o; do echo \"$o=$OPTARG\"; done; echo $OPTIND"),
		script("aliases and hash", "type cd; alias ll='echo aliased'", "ll x", "unalias ll; command -v echo; umask; ulimit -c 0; times >/dev/null; echo $?"),
		script("long output", "i=0; while [ $i -lt 5000 ]; do echo \"line $i of the long output\"; i=$((i + 1)); done"),
	}
}

// TestBusyboxGzip unpacks inside what was packed outside and the other way round.
func TestBusyboxGzip(t *testing.T) {
	t.Parallel()
	path := busyboxPath(t)
	text := strings.Repeat(busyboxText, 10)
	packed := runBusybox(t, path, text, "gzip", "-c")
	unpacker, err := gzip.NewReader(strings.NewReader(packed.stdout.String()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(unpacker)
	if err != nil {
		t.Fatal(err)
	}
	compareText(t, "gzip", string(got), text)

	var b bytes.Buffer
	packer := gzip.NewWriter(&b)
	io.WriteString(packer, text)
	packer.Close()
	// What the test keeps of the output is less than the text.
	result := runBusybox(t, path, b.String(), "sh", "-c", "gunzip -c | sha256sum")
	if result.code == 0 {
		t.Error("a pipe between two commands worked: there are no processes")
	}
	result = runBusybox(t, path, b.String(), "gunzip", "-c")
	if result.code != 0 || result.err != nil || result.stdout.total() != len(text) {
		t.Errorf("gunzip: code %d, error %v, %d bytes instead of %d", result.code, result.err, result.stdout.total(), len(text))
	}
	broken := runBusybox(t, path, b.String()[:b.Len()/2], "gunzip", "-c")
	if broken.code != 1 || broken.err != nil {
		t.Errorf("gunzip of half a file: code %d, error %v", broken.code, broken.err)
	}
}

// TestBusyboxNothingOutside looks for files, processes and the network from
// inside.
func TestBusyboxNothingOutside(t *testing.T) {
	t.Parallel()
	path := busyboxPath(t)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"cat", secret},
		{"cat", "/etc/passwd"},
		{"ls", filepath.Dir(secret)},
		{"touch", filepath.Join(filepath.Dir(secret), "new")},
		{"mkdir", "/tmp/new"},
		{"rm", secret},
		{"sh", "-c", "echo x > " + secret},
		{"sh", "-c", "ls / | wc -l"},
		{"sh", "-c", "sleep 1 & wait"},
		{"wget", "-O-", "http://127.0.0.1/"},
		{"nc", "127.0.0.1", "1"},
		{"ping", "-c1", "127.0.0.1"},
		{"mount", "-t", "tmpfs", "none", "/"},
		{"chroot", "/", "sh"},
		{"reboot", "-f"},
		{"insmod", "x.ko"},
		{"dmesg"},
		{"su", "-c", "true"},
		{"hostname", "new"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			t.Parallel()
			result := runBusybox(t, path, "", args...)
			if result.err == nil && result.code == 0 || strings.Contains(result.stdout.String(), "secret") {
				t.Error("it worked")
				result.report(t)
			}
		})
	}
	t.Cleanup(func() {
		if content, err := os.ReadFile(secret); err != nil || string(content) != "secret" {
			t.Errorf("the file of the host: %q, error %v", content, err)
		}
	})
}
