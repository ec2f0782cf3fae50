package spark

// Programs on executors that run at the same time, as jobs of several processes need it.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"

	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/ship"
)

// Address implements ship.Cluster: this machine's address on the way to the server. Of a server on this machine it is the one
// that Spark's executors call the driver's.
func (e *engine) Address(ctx context.Context) (string, error) {
	if e.target.loopback() {
		return e.Conf(ctx, "spark.driver.host")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", e.target.address()) // sends nothing
	if err != nil {
		return "", fmt.Errorf("spark: this machine's address on the way to %s: %w", e.target, err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).IP.String(), nil
}

// RunTasks implements ship.Cluster. Each task is gomosaic-worker with the program for its machine, and the invitation, beside it. Where
// the executors have Python, the tasks are a barrier stage, which Spark starts as a whole and whose tasks know their GPUs;
// else, or where the platform refuses Python or barriers, each is a TRANSFORM's.
func (e *engine) RunTasks(ctx context.Context, tasks ship.Tasks) error {
	input, err := relationOf(&plan.Range{End: int64(tasks.Count), Step: 1, Partitions: tasks.Count})
	if err != nil {
		return err
	}
	noPython := e.permitted(ctx, byMapInArrow)
	if u := (*errUnable)(nil); noPython != nil && !errors.As(noPython, &u) {
		return noPython
	}
	t := &task{program: e.worker, args: []string{"ranks"}, beside: ranksProgram(tasks), files: []artifact{dataArtifact("invitation", []byte(tasks.Invitation))}}
	submitted := sync.OnceFunc(tasks.Submitted)
	return e.arrange(ctx, t, func(script string) error {
		submitted()
		noBarrier := noPython
		if noBarrier == nil {
			_, err := e.collectMapped(ctx, input, script, true)
			if err == nil || !barrierRefused(err) {
				return err
			}
			noBarrier = err
		}
		_, err := e.collectLines(ctx, transformed(input, []string{"id"}, script))
		if err != nil {
			err = errors.Join(err, fmt.Errorf("spark: no barrier stage: %w", noBarrier))
		}
		return err
	})
}

// ranksProgram is the program of tasks.
func ranksProgram(tasks ship.Tasks) *program {
	return &program{name: "program", build: func(ctx context.Context, arch string) (string, error) {
		if arch == runtime.GOARCH {
			return tasks.Program.Path, nil
		}
		if tasks.Other == nil {
			return "", fmt.Errorf("%s is for %s machines alone", tasks.Program.Path, runtime.GOARCH)
		}
		other, err := tasks.Other(ctx, arch)
		return other.Path, err
	}}
}

// barrierRefused tells whether Spark has no barrier stages at all, as with dynamic allocation (SPARK-24942); then no task of the
// stage has run.
func barrierRefused(err error) bool {
	return strings.Contains(sparkText(err), "Barrier execution mode does not support")
}
