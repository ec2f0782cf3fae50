//go:build spark

package spark

// Tasks that go on when nobody wants them any more: those that write to a store, and those that another try overtook.

import (
	"context"
	"iter"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// TestTasksAtS3End: tasks that write to a store end within seconds of an interrupt, of the failure of another one, and of another
// conversion's start where the driver died; nothing is left of them.
func TestTasksAtS3End(t *testing.T) {
	endless := strings.Replace(slowQuery, "240", "4000000", 1)
	failing := strings.Replace(endless, "SELECT id", "SELECT nullif(id, 20) AS id", 1)
	empty := func(t *testing.T, folder string) {
		t.Helper()
		noWorkers(t)
		if left, _ := filepath.Glob(filepath.Join(folder, "*", "*")); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	}
	for name, test := range map[string]struct {
		query string
		says  string
	}{
		"interrupt": {endless, "interrupted"},
		"failure":   {failing, "it is NULL"},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			folder := filepath.Join(bucket, name)
			var interrupted time.Time
			if name == "interrupt" {
				whenUnderWay(t, folder, func() { interrupted = time.Now(); cancel() })
			}
			rows, err := session.SQL(t.Context(), test.query)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = mdslib.DataFrameToMDS(ctx, rows, slowOptions("s3://shards/"+name, "transform")); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v", err)
			}
			if took := time.Since(interrupted); name == "interrupt" && took > inTime {
				t.Errorf("it took %v to end", took)
			}
			empty(t, folder)
		})
	}
	t.Run("driver", func(t *testing.T) {
		folder := filepath.Join(bucket, "orphans")
		driver, killed := startConverter(t, "s3://shards/orphans", folder, endless)
		if _ = driver.Wait(); !killed() {
			t.Fatal("it ended by itself")
		}
		rows, err := session.SQL(t.Context(), "SELECT id FROM range(0, 100, 1, 4)")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := mdslib.DataFrameToMDS(t.Context(), rows, mdslib.MDSOptions{Out: "s3://shards/orphans", SparkWriters: "transform", ExistOK: true}); err != nil {
			t.Fatal(err)
		}
		noWorkers(t)
		if got := numbersOf(t, folder); len(got) != 100 || !slices.IsSorted(got) {
			t.Errorf("%d samples", len(got))
		}
		if left, _ := filepath.Glob(filepath.Join(folder, "_*")); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	})
}

// standalone starts a cluster of Spark's own: a master, and two workers of a core at addresses of their own, as Spark runs no second
// try where the first one runs. It returns the master's URL.
func standalone(t *testing.T) string {
	t.Helper()
	home, err := sparkHome(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	java, err := javaHome(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	start := func(host string, args ...string) (log string) {
		log = filepath.Join(t.TempDir(), "log")
		out, err := os.Create(log)
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := exec.Command(filepath.Join(home, "bin", "spark-class"), args...)
		cmd.Env = append(os.Environ(), "SPARK_HOME="+home, "JAVA_HOME="+java, "SPARK_LOCAL_IP="+host, "SPARK_WORKER_DIR="+t.TempDir(), "SPARK_DAEMON_MEMORY=256m")
		cmd.Stdout, cmd.Stderr = out, out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }) // spark-class becomes Java
		return log
	}
	says := func(log string, what *regexp.Regexp) string {
		for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if text, err := os.ReadFile(log); err == nil && what.Match(text) {
				return string(what.Find(text))
			}
		}
		text, _ := os.ReadFile(log)
		t.Fatalf("it does not say %v:\n%s", what, text)
		return ""
	}
	master := says(start("127.0.0.1", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"), regexp.MustCompile(`spark://127\.0\.0\.1:[0-9]+`))
	var logs []string
	for _, host := range []string{"127.0.0.2", "127.0.0.3"} {
		logs = append(logs, start(host, "org.apache.spark.deploy.worker.Worker", "--host", host, "--cores", "1", "--memory", "1g", "--webui-port", "0", master))
	}
	for _, log := range logs {
		says(log, regexp.MustCompile("Successfully registered with master"))
	}
	return master
}

// firstTry is a file that the first try of a partition makes.
var firstTry string

// dawdling yields the rows as they are; the first try of partition 0 never comes to an end, and others are slow enough to be seen.
func dawdling(rows iter.Seq2[mdslib.Sample, error]) iter.Seq2[mdslib.Sample, error] {
	return func(yield func(mdslib.Sample, error) bool) {
		for row, err := range rows {
			if err == nil && row["id"] == int64(20) {
				if f, err := os.OpenFile(firstTry, os.O_CREATE|os.O_EXCL, 0o666); err == nil {
					f.Close()
					time.Sleep(time.Hour)
				}
				time.Sleep(time.Second)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// TestSpeculation: with a second try of a slow partition at the same time, the data set is that of the one that ends; the other
// one's folder goes, and its process.
func TestSpeculation(t *testing.T) {
	configure(t, "spark.speculation true", "spark.speculation.interval 200ms", "spark.speculation.quantile 0.5", "spark.speculation.multiplier 1.2")
	server, err := startServer(t.Context(), standalone(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.stop)
	s, err := mdslib.Connect(t.Context(), "sc://localhost:"+server.target.port+"/;token="+server.target.token)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	firstTry = filepath.Join(t.TempDir(), "first")
	out := filepath.Join(t.TempDir(), "out")
	var tries []string // the folders of partition 0 while the tasks run
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for t.Context().Err() == nil {
			time.Sleep(50 * time.Millisecond)
			if dirs, _ := filepath.Glob(filepath.Join(out, "_attempt-*", "00000-*")); len(dirs) > 1 {
				tries = dirs
				return
			}
			if _, err := os.Stat(filepath.Join(out, mdslib.IndexName)); err == nil {
				return
			}
		}
	}()
	rows, err := s.SQL(t.Context(), "SELECT id, repeat('x', 5000) AS s FROM range(0, 400, 1, 4)")
	if err != nil {
		t.Fatal(err)
	}
	opts := mdslib.MDSOptions{Out: out, SizeLimit: "20kb", Columns: mdslib.Columns{"id": "int64", "s": "str"}, UDFIterable: dawdling, SparkWriters: "executors"}
	report, err := mdslib.DataFrameToMDS(t.Context(), rows, opts)
	if err != nil {
		t.Fatal(err)
	}
	<-ended
	if len(tries) < 2 {
		t.Errorf("partition 0 was tried in the folders %q, want two at once", tries)
	}
	if got := numbersOf(t, out); len(got) != 400 || !slices.IsSorted(got) || len(report.Partitions) != 4 {
		t.Errorf("%d samples, report %+v", len(got), report)
	}
	if entries, err := os.ReadDir(out); err != nil || len(entries) != 5 {
		t.Errorf("%v, %v", entries, err)
	}
	noWorkers(t)
}
