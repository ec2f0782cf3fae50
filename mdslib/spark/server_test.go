//go:build unix

package spark

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// install makes a Spark whose server is a script, and a Java that only says its version.
func install(t *testing.T, script, java string) {
	t.Helper()
	home := t.TempDir()
	for name, content := range map[string]string{
		"bin/spark-submit":                  "#!/bin/sh\n" + script,
		"bin/java":                          "#!/bin/sh\necho 'openjdk version \"" + java + "\"' >&2\n",
		"jars/spark-connect_2.13-4.2.0.jar": "",
	} {
		path := filepath.Join(home, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SPARK_HOME", home)
	t.Setenv("JAVA_HOME", home)
	t.Setenv("TMPDIR", t.TempDir())
}

// serves is a server that says its port, writes its process id, arguments, folder and token to files, and waits.
const serves = `echo $$ >$TMPDIR/pid; echo "$@" >$TMPDIR/args; pwd >$TMPDIR/folder; echo "$SPARK_CONNECT_AUTHENTICATE_TOKEN" >$TMPDIR/token
echo "26/11/27 INFO SparkConnectServer: Spark Connect server started at: 127.0.0.1:4711" >&2
exec sleep 60`

func written(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(os.Getenv("TMPDIR"), name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// gone waits until the server's process and its files are gone.
func gone(t *testing.T) {
	t.Helper()
	pid, _ := strconv.Atoi(written(t, "pid"))
	for range 600 {
		left, _ := filepath.Glob(filepath.Join(os.Getenv("TMPDIR"), "gomosaic-spark-*"))
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && len(left) == 0 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the server's process or files are still there")
}

func TestServer(t *testing.T) {
	install(t, serves, "17.0.15")
	s, err := startServer(t.Context(), "local[2]")
	if err != nil {
		t.Fatal(err)
	}
	if s.target.address() != "127.0.0.1:4711" || s.target.token == "" || s.target.token != written(t, "token") {
		t.Errorf("%s", s.target)
	}
	if args := written(t, "args"); !strings.Contains(args, "--master local[2] ") || strings.Contains(args, s.target.token) {
		t.Errorf("arguments %s", args)
	}
	if here, err := os.Getwd(); err != nil || written(t, "folder") != here {
		t.Errorf("relative paths are relative to %s, not to %s", written(t, "folder"), here)
	}
	s.stop()
	gone(t)
}

// TestServerShared: sessions of one master share a server, and it ends with the last.
func TestServerShared(t *testing.T) {
	install(t, serves, "21")
	all := servers{running: map[string]*server{}, users: map[*server]int{}}
	first, leaveFirst, err := all.join(t.Context(), "local[1]")
	if err != nil {
		t.Fatal(err)
	}
	second, leaveSecond, err := all.join(t.Context(), "local[1]")
	if err != nil || first != second {
		t.Fatalf("another server, %v", err)
	}
	leaveFirst()
	leaveFirst()
	if first.hasEnded() {
		t.Error("it ended with its first session")
	}
	leaveSecond()
	gone(t)
}

// TestServerEndsWithUs: a process that is killed leaves no server.
func TestServerEndsWithUs(t *testing.T) {
	if os.Getenv("GOMOSAIC_TEST_SERVE") != "" {
		if _, err := startServer(t.Context(), "local"); err != nil {
			t.Fatal(err)
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	install(t, serves, "17")
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerEndsWithUs$")
	cmd.Env = append(os.Environ(), "GOMOSAIC_TEST_SERVE=1")
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("%v\n%s", err, out)
	}
	gone(t)
}

// TestServerFailures: what is missing, and what to do about it.
func TestServerFailures(t *testing.T) {
	start := func(t *testing.T, says string) {
		t.Helper()
		if _, err := startServer(t.Context(), "local"); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want %q", err, says)
		}
	}
	t.Run("old Java", func(t *testing.T) {
		install(t, serves, "1.8.0_402")
		start(t, "is Java 8; Spark needs Java 17 or newer: apt-get install openjdk-17-jre-headless")
	})
	t.Run("no Java", func(t *testing.T) {
		install(t, serves, "17")
		t.Setenv("JAVA_HOME", "")
		t.Setenv("PATH", "/nowhere")
		start(t, "there is no java in $PATH and no $JAVA_HOME; Spark needs Java 17")
	})
	t.Run("no Spark", func(t *testing.T) {
		install(t, serves, "17")
		t.Setenv("SPARK_HOME", "")
		t.Setenv("PYSPARK_PYTHON", "")
		t.Setenv("PATH", "/nowhere")
		start(t, "no Spark is installed here (looked at $SPARK_HOME, python3, python): pip install 'pyspark[connect]'")
	})
	t.Run("old Spark", func(t *testing.T) {
		install(t, serves, "17")
		if err := os.RemoveAll(filepath.Join(os.Getenv("SPARK_HOME"), "jars")); err != nil {
			t.Fatal(err)
		}
		start(t, "has no Spark Connect")
	})
	t.Run("ends at once", func(t *testing.T) {
		install(t, "echo $$ >$TMPDIR/pid; echo 'Cannot allocate memory' >&2; exit 1", "17")
		start(t, "ended at its start:\nCannot allocate memory")
		gone(t)
	})
	t.Run("ends with a stack", func(t *testing.T) {
		install(t, "echo $$ >$TMPDIR/pid; { echo 'Could not parse Master URL'; for i in 1 2 3 4 5; do printf '\\tat a(b)\\n\\tat a(b)\\n\\tat a(b)\\n\\tat a(b)\\n\\tat a(b)\\n'; done; } >&2; exit 1", "17")
		start(t, "ended at its start:\nCould not parse Master URL")
	})
	t.Run("interrupted", func(t *testing.T) {
		install(t, "echo $$ >$TMPDIR/pid; exec sleep 60", "17")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if _, err := startServer(canceled(t), "local"); !errors.Is(err, context.Canceled) {
			t.Errorf("before it began: error %v", err)
		}
		go func() {
			for t.Context().Err() == nil { // as long as it has not begun
				if text, err := os.ReadFile(filepath.Join(os.Getenv("TMPDIR"), "pid")); err == nil && strings.HasSuffix(string(text), "\n") {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			cancel()
		}()
		if _, err := startServer(ctx, "local"); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		gone(t)
	})
}

// canceled is a context that has ended.
func canceled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestSparkLocalURL(t *testing.T) {
	for _, url := range []string{"spark-local:yarn", "spark-local:spark://host:7077"} {
		if _, err := openLocal(t.Context(), url); err == nil || !strings.Contains(err.Error(), "a master of this machine") {
			t.Errorf("%s: %v", url, err)
		}
	}
}
