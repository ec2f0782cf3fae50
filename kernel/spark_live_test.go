//go:build spark

package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"gomosaic/kernel/wire"
)

// TestLiveSpark: a kernel with a server of its own. A long query shows a bar of its tasks and is gone from the server when its
// cell is interrupted; an error of Spark stands at the line of the cell; a kernel that is killed leaves no server. make
// test-spark runs it.
func TestLiveSpark(t *testing.T) {
	python, err := filepath.Abs("../.venv-reference/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	temp := t.TempDir()
	c, cmd := startLiveWith(t, append(os.Environ(), "XDG_STATE_HOME="+t.TempDir(), "JPY_PARENT_PID="+strconv.Itoa(os.Getpid()),
		"TMPDIR="+temp, "PYSPARK_PYTHON="+python, "SPARK_HOME=", "SPARK_REMOTE=", "SPARK_DRIVER_MEMORY=1g"))
	reply, outputs := c.run("spark := check1(mdslib.Connect(ctx, \"spark-local[2]\"))\ncheck(spark.SetConf(ctx, \"spark.sql.shuffle.partitions\", \"2\"))")
	if reply["status"] != "ok" {
		t.Fatalf("Connect: %v", reply)
	}
	if !strings.Contains(shown(outputs), "starting Spark") {
		t.Error("the server's start showed no bar")
	}
	pid := javaOf(temp)
	if pid == 0 {
		t.Fatal("there is no server process")
	}

	id := c.send("shell", "execute_request", map[string]any{"code": "slow := spark.Range(0, 1<<42).Select(\"sum(hash(id)) AS s\")\nrow := check1(slow.First(ctx))"})
	bar := ""
	for deadline := time.Now().Add(patience); !strings.Contains(bar, "stages"); {
		m := c.next("iopub")
		if bar += string(m.Content); time.Now().After(deadline) {
			t.Fatalf("no bar of tasks: %s", bar)
		}
	}
	if !strings.Contains(bar, "task") || !strings.Contains(bar, "running") {
		t.Errorf("the bar says %s", bar)
	}
	started := time.Now()
	c.ask("control", "interrupt_request", struct{}{})
	stopped := content(t, c.replyTo("shell", id))
	if took := time.Since(started); stopped["status"] != "error" || stopped["ename"] != "interrupted" || took > patience {
		t.Errorf("after %v: %v", took, stopped)
	} else {
		t.Logf("the interrupt took %v", took)
	}
	started = time.Now() // both cores must be free
	if got := text(t, c, "check1(spark.Range(0, 1000).Repartition(4).Count(ctx))"); !strings.Contains(got, "1000") {
		t.Errorf("the session afterwards: %q", got)
	}
	t.Logf("the next query took %v", time.Since(started))

	reply, _ = c.run("good := spark.Range(0, 3)\nx := check1(good.Count(ctx))\ny := check1(good.Select(\"idd\").Count(ctx))")
	if trace := fmt.Sprint(reply["traceback"]); reply["status"] != "error" || !strings.Contains(trace, "UNRESOLVED_COLUMN") || !strings.Contains(trace, "]:3") || strings.Contains(trace, "]:2") {
		t.Errorf("an error of Spark: %v", reply)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for deadline := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		left, _ := filepath.Glob(temp + "/gomosaic-spark-*")
		if javaOf(temp) == 0 && len(left) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server outlives its kernel: process %d, files %q", javaOf(temp), left)
		}
	}
}

// shown is what messages say, one after the other.
func shown(messages []*wire.Message) string {
	var b strings.Builder
	for _, m := range messages {
		b.Write(m.Content)
	}
	return b.String()
}

// javaOf is the process of the Java program whose command line names a folder, 0 if there is none.
func javaOf(dir string) int {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		if line, err := os.ReadFile(path); err == nil && strings.Contains(string(line), dir) && strings.Contains(string(line), "SparkSubmit") {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			return pid
		}
	}
	return 0
}
