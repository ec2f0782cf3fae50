package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"gomosaic/trainlib/distributor/ranks"
)

// joinJob makes this process a task of a training job. The invitation is in a file, since command lines are for everybody to
// see; the task's number is in $GOMOSAIC_TASK_PARTITION, else standard input begins with it. $GOMOSAIC_TASK_GPUS are the
// addresses of the GPUs that Spark gave the task.
//
// The status is 0 when the launcher had what it wanted of the task, however its ranks ended, so that Spark does not run a task
// again; 1 when the launcher could not be reached.
func joinJob(ctx context.Context, args []string, stdin io.Reader, stderr io.Writer) int {
	if len(args) != 2 {
		fmt.Fprintln(stderr, "usage: gomosaic-worker ranks PROGRAM INVITATION")
		return 2
	}
	// All of it is read, or Spark takes a broken pipe for the reason of a failure.
	input, err := io.ReadAll(stdin)
	number := os.Getenv("GOMOSAIC_TASK_PARTITION")
	if number == "" {
		number, _, _ = strings.Cut(strings.TrimSpace(string(input)), "\t")
	}
	o := ranks.JoinOptions{Program: args[0]}
	if err == nil {
		if o.Number, err = strconv.Atoi(number); err != nil {
			err = errors.New("the task has no number")
		}
	}
	var invitation []byte
	if err == nil {
		invitation, err = os.ReadFile(args[1])
	}
	if err == nil {
		o.GPUs, err = visibleGPUs(os.Getenv("GOMOSAIC_TASK_GPUS"), os.Getenv("CUDA_VISIBLE_DEVICES"))
	}
	if err == nil {
		err = ranks.Join(ctx, string(invitation), o)
	}
	if err != nil {
		fmt.Fprintln(stderr, "gomosaic-worker ranks:", err)
		time.Sleep(200 * time.Millisecond) // Spark reads standard error beside; it is to have it before the end
		return 1
	}
	return 0
}

// visibleGPUs gives the addresses of a task's GPUs as CUDA_VISIBLE_DEVICES has them: by PySpark's rule they are indexes into
// that variable where it is set already.
func visibleGPUs(addresses, visible string) ([]string, error) {
	if addresses == "" {
		return nil, nil
	}
	gpus := strings.Split(addresses, ",")
	if visible == "" {
		return gpus, nil
	}
	all := strings.Split(visible, ",")
	for i, address := range gpus {
		n, err := strconv.Atoi(address)
		if err != nil || n < 0 || n >= len(all) {
			return nil, fmt.Errorf("GPU %q, which Spark gives the task, is no place in CUDA_VISIBLE_DEVICES=%q", address, visible)
		}
		gpus[i] = all[n]
	}
	return gpus, nil
}
