//go:build spark

package spark

// Programs on executors.

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/ship"
	"gomosaic/mdslib/spark/pb"
)

// shellProgram is a program that is a shell's script, for every architecture.
func shellProgram(t *testing.T, text string) *program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o777); err != nil {
		t.Fatal(err)
	}
	return &program{name: "shell", build: func(context.Context, string) (string, error) { return path, nil }}
}

// input is rows 0 to n-1 in two partitions.
func input(t *testing.T, n int64) *pb.Relation {
	t.Helper()
	r, err := relationOf(&plan.Range{End: n, Step: 1, Partitions: 2})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestTransform: tasks get their rows, their arguments and their files, on both executors, and print lines in the order of the
// partitions; partitions without rows have no task.
func TestTransform(t *testing.T) {
	data := dataArtifact("note", []byte("what the task is to know\n"))
	job := &task{program: shellProgram(t, `echo "$1 $(wc -c < "$2")"; cat`), args: []string{`it's "$HOME" \ ü`}, files: []artifact{data}}
	got, err := direct.transform(t.Context(), input(t, 4), []string{"spark_partition_id()", "id", "nullif(id, 2)", "'E'"}, job)
	if err != nil {
		t.Fatal(err)
	}
	first := `it's "$HOME" \ ü 25`
	want := []string{first, "0\t0\t0\tE", "0\t1\t1\tE", first, "1\t2\t!\tE", "1\t3\t3\tE"}
	if !slices.Equal(got, want) {
		t.Errorf("lines %q, want %q", got, want)
	}
	if got, err := direct.transform(t.Context(), input(t, 1), []string{"id"}, job); err != nil || len(got) != 2 {
		t.Errorf("one row: %q, %v", got, err)
	}
}

// TestMapInArrow: the same with Python between, which feeds the program an Arrow stream; here it counts its bytes.
func TestMapInArrow(t *testing.T) {
	direct.notePython("3.6") // not the executors': the error tells which it is
	job := &task{program: shellProgram(t, `echo "$GOMOSAIC_TASK_PARTITION $1 $(head -c 4 | od -An -tx1)"; cat >/dev/null`), args: []string{`it's "$HOME" \u00e9 ü 🌷`}}
	for _, barrier := range []bool{false, true} {
		got, err := direct.mapInArrow(t.Context(), input(t, 4), job, barrier)
		if err != nil {
			t.Fatal(err)
		}
		want := []string{`0 it's "$HOME" \u00e9 ü 🌷  ff ff ff ff`, `1 it's "$HOME" \u00e9 ü 🌷  ff ff ff ff`}
		if !slices.Equal(got, want) {
			t.Errorf("barrier %t: lines %q, want %q", barrier, got, want)
		}
	}
	hosts, err := direct.mapInArrow(t.Context(), input(t, 2), &task{program: shellProgram(t, `cat >/dev/null; echo $GOMOSAIC_TASK_HOSTS`)}, true)
	if err != nil || len(hosts) != 2 || strings.Count(hosts[0], ",") != 1 || hosts[0] != hosts[1] {
		t.Errorf("hosts of a barrier %q, %v", hosts, err)
	}
}

// TestProgramFails: what a program says at its end is in the error, whichever way it was run.
func TestProgramFails(t *testing.T) {
	job := &task{program: shellProgram(t, `cat >/dev/null; echo "no tulips left" >&2; sleep 0.3; exit 3`)}
	_, err := direct.transform(t.Context(), input(t, 2), []string{"id"}, job)
	if err == nil || !strings.Contains(err.Error(), "no tulips left") {
		t.Errorf("TRANSFORM: %v", err)
	}
	_, err = direct.mapInArrow(t.Context(), input(t, 2), job, false)
	if err == nil || !strings.Contains(err.Error(), "no tulips left") {
		t.Errorf("mapInArrow: %v", err)
	}
}

// TestProgramIsSentOnce: a second task has nothing to send; a server that has lost what it had gets it again; and a program that
// lacks the executors' architecture is sent for that too.
func TestProgramIsSentOnce(t *testing.T) {
	built := 0
	path := shellProgram(t, "cat >/dev/null; echo here # "+t.Name())
	job := &task{program: &program{name: "counted", build: func(ctx context.Context, arch string) (string, error) {
		built++
		return path.build(ctx, arch)
	}}}
	for range 2 {
		if got, err := direct.transform(t.Context(), input(t, 1), []string{"id"}, job); err != nil || !slices.Equal(got, []string{"here"}) {
			t.Fatalf("lines %q, %v", got, err)
		}
	}
	if built != 1 {
		t.Errorf("built %d times", built)
	}
	// As after a restart of the server: the name is noted, the file is not there.
	elsewhere := shellProgram(t, "cat >/dev/null; echo there # "+t.Name())
	lost := &task{program: elsewhere}
	a, err := elsewhere.executable(t.Context(), direct.client, "amd64")
	if err != nil {
		t.Fatal(err)
	}
	direct.artifacts.paths[a.path] = true
	if got, err := direct.transform(t.Context(), input(t, 1), []string{"id"}, lost); err != nil || !slices.Equal(got, []string{"there"}) {
		t.Errorf("after a loss: %q, %v", got, err)
	}

	other := &engine{client: direct.client}
	other.executors.archs = []string{"arm64"}
	if got, err := other.transform(t.Context(), input(t, 1), []string{"id"}, &task{program: shellProgram(t, "cat >/dev/null; echo any")}); err != nil || !slices.Equal(got, []string{"any"}) || !slices.Equal(other.executors.archs, []string{"arm64", "amd64"}) {
		t.Errorf("another architecture: %q, %v, %v", got, other.executors.archs, err)
	}

	// The ranks of a job: the program beside the worker is the one for the machine, too.
	mixed := &engine{client: direct.client}
	mixed.executors.archs = []string{"arm64"}
	made := shellProgram(t, "made for another")
	ranks := ranksProgram(ship.Tasks{Program: ship.Program{Path: os.Args[0]}, Other: func(ctx context.Context, arch string) (ship.Program, error) {
		path, err := made.build(ctx, arch)
		return ship.Program{Path: path}, err
	}})
	got, err := mixed.transform(t.Context(), input(t, 1), []string{"id"}, &task{program: shellProgram(t, `cat >/dev/null; echo "${1##*/}" $(wc -c < "$1")`), beside: ranks})
	self, statErr := os.Stat(os.Args[0])
	if err != nil || statErr != nil || len(got) != 1 || !strings.HasPrefix(got[0], "program-amd64-") || !strings.HasSuffix(got[0], fmt.Sprint(" ", self.Size())) {
		t.Errorf("a program beside: %q, %v", got, err)
	}
	if _, err := ranksProgram(ship.Tasks{Program: ship.Program{Path: "/train"}}).executable(t.Context(), direct.client, "arm64"); err == nil || !strings.Contains(err.Error(), "/train is for amd64 machines alone") {
		t.Errorf("a program for one architecture: %v", err)
	}
}

// TestLargeArtifact: a file of many chunks arrives as it is.
func TestLargeArtifact(t *testing.T) {
	data := []byte(strings.Repeat("0123456789abcdef", 1<<18))
	sum := sha256.Sum256(data)
	got, err := direct.transform(t.Context(), input(t, 1), []string{"id"}, &task{program: shellProgram(t, `cat >/dev/null; sha256sum < "$1"`), files: []artifact{dataArtifact("large", data)}})
	if want := fmt.Sprintf("%x  -", sum); err != nil || !slices.Equal(got, []string{want}) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// TestWorkerRuns: gomosaic-worker is built, sent and runs on executors.
func TestWorkerRuns(t *testing.T) {
	got, err := direct.transform(t.Context(), input(t, 1), []string{"id"}, &task{program: newWorker(), args: []string{"version"}})
	if err != nil || len(got) != 1 || !strings.HasPrefix(got[0], "gomosaic-worker ") {
		t.Errorf("%q, %v", got, err)
	}
}
