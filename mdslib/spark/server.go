package spark

// A server of our own: "spark-local" starts the Spark that is installed here.

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// server is a Spark Connect server that this process started. It listens on this machine only, wants a token that only we
// know, and ends with this process, however that ends.
type server struct {
	target *target
	alive  io.Closer     // closing it ends the server
	ended  chan struct{} // closed when it has ended
	dir    string        // its files; removed with it
}

// servers are those that this process runs, by master. Who connects again, as by running a cell again, gets the same one.
type servers struct {
	mu      sync.Mutex
	running map[string]*server
	users   map[*server]int
}

var ours = servers{running: map[string]*server{}, users: map[*server]int{}}

// join returns the server of a master, started if need be, and what gives it back; the last to do so stops it.
func (all *servers) join(ctx context.Context, master string) (*server, func(), error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	s := all.running[master]
	if s != nil && s.hasEnded() {
		s = nil
	}
	if s == nil {
		var err error
		if s, err = startServer(ctx, master); err != nil {
			return nil, nil, err
		}
		all.running[master] = s
	}
	all.users[s]++
	var once sync.Once
	return s, func() {
		once.Do(func() {
			all.mu.Lock()
			defer all.mu.Unlock()
			if all.users[s]--; all.users[s] > 0 {
				return
			}
			delete(all.users, s)
			if all.running[master] == s {
				delete(all.running, master)
			}
			s.stop()
		})
	}, nil
}

func (s *server) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// startTimeout is how long a server may take until it accepts requests.
const startTimeout = 5 * time.Minute

// keeper is the shell that runs the server: it ends it, and removes its files, when the pipe at descriptor 3 is closed, which
// happens when this process stops it or dies.
const keeper = `dir=$1; shift
"$@" 3<&- & server=$!
( read -r _ <&3; kill $server; sleep 10; kill -9 $server ) >/dev/null 2>&1 & watcher=$!
exec 3<&- >/dev/null 2>&1 # what it would print may have no reader any more, and end it
wait $server; status=$?
kill $watcher 2>/dev/null
rm -rf "$dir"
exit $status`

// startServer starts a server on master, such as "local[*]" or "local-cluster[2,1,1024]", with the Spark of $SPARK_HOME or
// of the Python package pyspark, and waits until it accepts requests. Spark's own settings hold: $SPARK_CONF_DIR,
// $SPARK_DRIVER_MEMORY and the like. Paths that are relative are so to this process's folder, as with PySpark.
func startServer(ctx context.Context, master string) (*server, error) {
	home, err := sparkHome(ctx)
	if err != nil {
		return nil, err
	}
	java, err := javaHome(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "gomosaic-spark-")
	if err != nil {
		return nil, fmt.Errorf("spark: %w", err)
	}
	if home, err = linked(home, filepath.Join(dir, "home")); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &server{dir: dir, ended: make(chan struct{})}
	token := rand.Text()
	cmd := exec.Command("/bin/sh", "-c", keeper, "gomosaic-spark", dir,
		filepath.Join(home, "bin", "spark-submit"), "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", "--name", "gomosaic",
		"--master", master,
		"--conf", "spark.connect.grpc.binding.address=127.0.0.1", "--conf", "spark.connect.grpc.binding.port=0",
		"--conf", "spark.ui.enabled=false", "--conf", "spark.local.dir="+filepath.Join(dir, "local"),
		"--conf", "spark.sql.warehouse.dir="+filepath.Join(dir, "warehouse"), "spark-internal")
	cmd.Env = slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "SPARK_REMOTE=") }) // it bars --master
	cmd.Env = append(cmd.Env, "SPARK_HOME="+home, "JAVA_HOME="+java, "SPARK_LOCAL_IP=127.0.0.1", "SPARK_CONNECT_AUTHENTICATE_TOKEN="+token)
	alive, ours, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("spark: %w", err)
	}
	cmd.ExtraFiles = []*os.File{alive}
	cmd.WaitDelay = farewell
	detach(cmd)
	log := newServerLog()
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		ours.Close()
		alive.Close()
		return nil, errors.Join(fmt.Errorf("spark: %w", err), os.RemoveAll(dir))
	}
	alive.Close()
	s.alive = ours
	go func() {
		_ = cmd.Wait()
		close(s.ended)
	}()
	watcher := watched("starting Spark")
	stop := beating(watcher)
	port, err := s.wait(ctx, log)
	stop()
	if err == nil {
		s.target, err = parseTarget("sc://127.0.0.1:" + port + "/;token=" + token)
	}
	watcher.End(err)
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// wait waits until the server says its port.
func (s *server) wait(ctx context.Context, log *serverLog) (string, error) {
	timeout := time.NewTimer(startTimeout)
	defer timeout.Stop()
	select {
	case port := <-log.port:
		return port, nil
	case <-s.ended:
		return "", fmt.Errorf("spark: the server ended at its start:\n%s", log.last())
	case <-timeout.C:
		return "", fmt.Errorf("spark: the server is not ready after %v:\n%s", startTimeout, log.last())
	case <-ctx.Done():
		return "", fmt.Errorf("spark: waiting for the server to start: %w", context.Cause(ctx))
	}
}

// stop ends the server and waits for that.
func (s *server) stop() {
	s.alive.Close()
	select {
	case <-s.ended:
	case <-time.After(15 * time.Second): // the shell kills it after ten
	}
}

// sparkHome is $SPARK_HOME, or where the Python package pyspark lies.
func sparkHome(ctx context.Context) (string, error) {
	home := os.Getenv("SPARK_HOME")
	tried := []string{"$SPARK_HOME"}
	for _, python := range []string{os.Getenv("PYSPARK_PYTHON"), "python3", "python"} {
		if home != "" {
			break
		}
		if python == "" {
			continue
		}
		tried = append(tried, python)
		out, err := exec.CommandContext(ctx, python, "-c", "import importlib.util as u; s = u.find_spec('pyspark'); print(s.submodule_search_locations[0] if s else '')").Output()
		if err == nil {
			home = strings.TrimSpace(string(out))
		}
	}
	if home == "" {
		return "", fmt.Errorf("spark: no Spark is installed here (looked at %s): pip install 'pyspark[connect]', or set SPARK_HOME", strings.Join(tried, ", "))
	}
	jars, err := filepath.Glob(filepath.Join(home, "jars", "spark-connect_*.jar"))
	if err != nil || len(jars) == 0 {
		return "", fmt.Errorf("spark: the Spark in %s has no Spark Connect (jars/spark-connect_*.jar): want 4.0 or newer", home)
	}
	return home, nil
}

// linked makes a home of links to another's parts: the executors of a local cluster get their folders in the home, which may
// not be ours to write to.
func linked(home, to string) (string, error) {
	parts, err := os.ReadDir(home)
	if err == nil {
		err = os.Mkdir(to, 0o777)
	}
	for _, part := range parts {
		if err == nil && part.Name() != "work" {
			err = os.Symlink(filepath.Join(home, part.Name()), filepath.Join(to, part.Name()))
		}
	}
	if err != nil {
		return "", fmt.Errorf("spark: %w", err)
	}
	return to, nil
}

// oldestJava is the oldest that Spark 4 runs on.
const oldestJava = 17

var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// javaHome is the folder of $JAVA_HOME's Java or of the one in $PATH.
func javaHome(ctx context.Context) (string, error) {
	advice := "Spark needs Java 17 or newer: apt-get install openjdk-17-jre-headless, or set JAVA_HOME"
	java := filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java")
	if os.Getenv("JAVA_HOME") == "" {
		var err error
		if java, err = exec.LookPath("java"); err != nil {
			return "", fmt.Errorf("spark: there is no java in $PATH and no $JAVA_HOME; %s", advice)
		}
		if real, err := filepath.EvalSymlinks(java); err == nil {
			java = real
		}
	}
	out, err := exec.CommandContext(ctx, java, "-version").CombinedOutput()
	if ctx.Err() != nil {
		return "", fmt.Errorf("spark: looking for Java: %w", context.Cause(ctx))
	}
	if err != nil {
		return "", fmt.Errorf("spark: %s -version: %w; %s", java, err, advice)
	}
	m := javaVersion.FindSubmatch(out)
	if m == nil {
		return "", fmt.Errorf("spark: %s -version says no version; %s", java, advice)
	}
	if n, _ := strconv.Atoi(string(m[1])); n < oldestJava {
		return "", fmt.Errorf("spark: %s is Java %s; %s", java, m[1], advice)
	}
	return filepath.Dir(filepath.Dir(java)), nil
}

// serverLog reads what a server prints: it finds the port in it and keeps the last lines, for the errors of a start.
type serverLog struct {
	*io.PipeWriter
	port chan string

	mu    sync.Mutex
	lines []string
}

// startedAt is what a server logs when it accepts requests.
var startedAt = regexp.MustCompile(`Spark Connect server started at: (\S+)`)

const lastLines = 20

func newServerLog() *serverLog {
	r, w := io.Pipe()
	l := &serverLog{PipeWriter: w, port: make(chan string, 1)}
	go func() {
		lines := bufio.NewScanner(r)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			l.add(lines.Text())
		}
		_, _ = io.Copy(io.Discard, r) // after a line that is too long
	}()
	return l
}

func (l *serverLog) add(line string) {
	if m := startedAt.FindStringSubmatch(line); m != nil {
		if _, port, err := net.SplitHostPort(m[1]); err == nil {
			select {
			case l.port <- port:
			default:
			}
		}
	}
	if strings.HasPrefix(line, "\tat ") { // Java's stack would push out what it is the stack of
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if len(l.lines) > lastLines {
		l.lines = l.lines[1:]
	}
}

func (l *serverLog) last() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.lines, "\n")
}
