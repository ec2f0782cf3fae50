package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gomosaic/trainlib/distributor/ranks"
)

// TestRanks: two workers, one numbered by its standard input and one by its environment, run the ranks of a job.
func TestRanks(t *testing.T) {
	r, err := ranks.Listen("127.0.0.1:0", "", 2)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	invitation := filepath.Join(t.TempDir(), "invitation")
	if err := os.WriteFile(invitation, []byte(r.Invitation()), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // on the busiest machine
	defer cancel()
	status := make(chan string, 2)
	begin := func(stdin string) {
		var stderr bytes.Buffer
		got := run(ctx, []string{"ranks", "/bin/sh", invitation}, strings.NewReader(stdin), io.Discard, &stderr)
		status <- fmt.Sprint(got, stderr.String())
	}
	go begin("0\t17\n")
	for come := 0; come == 0; { // it has read its environment
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		tasks, _ := r.Wait(short)
		cancel()
		come = len(tasks)
	}
	t.Setenv("GOMOSAIC_TASK_PARTITION", "1")
	t.Setenv("GOMOSAIC_TASK_GPUS", "3,1")
	go begin("an Arrow stream")
	tasks, err := r.Wait(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(tasks[1].GPUs, []string{"3", "1"}) || tasks[0].GPUs != nil {
		t.Errorf("GPUs %q and %q", tasks[0].GPUs, tasks[1].GPUs)
	}
	work := func(i int) ranks.Work {
		return ranks.Work{First: i, Args: []string{"-c", "exit " + fmt.Sprint(i)}, Ranks: [][]string{nil}}
	}
	job, err := ranks.Begin(ctx, tasks, []ranks.Work{work(0), work(1)}, []io.Writer{io.Discard, io.Discard}, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if e := <-job.Ends(); e.Rank == 0 && e.Exit != "" || e.Rank == 1 && e.Exit != "exit status 1" {
			t.Errorf("%+v", e)
		}
	}
	job.Close()
	for range 2 {
		if got := <-status; got != "0" {
			t.Errorf("status %s", got)
		}
	}
}

func TestVisibleGPUs(t *testing.T) {
	for _, test := range []struct{ addresses, visible, want string }{
		{"", "", "[] <nil>"}, {"0,3", "", "[0 3] <nil>"}, {"1,0", "4,6", "[6 4] <nil>"},
		{"2", "4,6", `[] GPU "2", which Spark gives the task, is no place in CUDA_VISIBLE_DEVICES="4,6"`},
	} {
		gpus, err := visibleGPUs(test.addresses, test.visible)
		if got := fmt.Sprint(gpus, " ", err); got != test.want {
			t.Errorf("%q of %q: %s, want %s", test.addresses, test.visible, got, test.want)
		}
	}
}
