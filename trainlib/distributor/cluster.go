package distributor

// Ranks on the executors of a Spark session.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/ship"
	"gomosaic/mdslib/store"
	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor/ranks"
	"gomosaic/trainlib/torch"
)

// Settings of Spark that PySpark's TorchDistributor goes by.
const (
	confGPUs      = "spark.task.resource.gpu.amount"
	confTLS       = "spark.ssl.enabled"
	confIgnoreTLS = "pytorch.spark.distributor.ignoreSsl"
)

// cluster launches on the executors of a session.
type cluster struct {
	machines ship.Cluster
	session  *mdslib.Session
	perTask  int // ranks in a task
}

// placeOn asks a session whether the ranks of d can run on its executors. The rules and their words are those of PySpark's
// TorchDistributor.
func placeOn(ctx context.Context, d TorchDistributor, session *mdslib.Session) (launcher, error) {
	machines, err := session.Cluster()
	if err != nil {
		return nil, fmt.Errorf("distributor: LocalMode is false: %w; or set LocalMode: true to run the ranks on this machine", err)
	}
	c := cluster{machines, session, 1}
	setting := func(key, unset string) string {
		if err != nil {
			return ""
		}
		value, missing := session.Conf(ctx, key)
		var notSet *mdslib.SparkError
		if errors.As(missing, &notSet) && strings.HasPrefix(notSet.Class, "SQL_CONF_NOT_FOUND") {
			return unset
		}
		err = missing
		return value
	}
	if d.UseGPU {
		amount := setting(confGPUs, "0")
		gpus, malformed := strconv.Atoi(amount)
		switch {
		case err != nil:
		case malformed != nil:
			err = fmt.Errorf("'%s' is %s: want a whole number, since ranks cannot share a GPU", confGPUs, amount)
		case gpus < 1:
			err = fmt.Errorf("'%s' was unset, so gpu usage is unavailable", confGPUs)
		case d.ranks()%gpus != 0:
			err = fmt.Errorf("NumProcesses (%d) must be a multiple of '%s' (%d)", d.ranks(), confGPUs, gpus)
		}
		c.perTask = gpus
	}
	if setting(confTLS, "false") == "true" && setting(confIgnoreTLS, "false") != "true" && err == nil {
		err = fmt.Errorf("this cluster has TLS enabled (%s), but gradients go between the ranks unencrypted; to run nevertheless, set %s to true", confTLS, confIgnoreTLS)
	}
	if err != nil {
		return nil, fmt.Errorf("distributor: %w", err)
	}
	return c, nil
}

// launch brings the tasks of the job together and waits for their ranks.
func (c cluster) launch(ctx context.Context, d TorchDistributor, program rankProgram, resultDir string) error {
	logs, err := newLogs(d)
	if err != nil {
		return err
	}
	defer logs.close()
	n := d.ranks() / c.perTask
	r, err := c.listen(ctx, d.Listen, n)
	if err != nil {
		return fmt.Errorf("distributor: %w", err)
	}
	defer r.Close()

	taskCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // an interrupt ends the ranks, and so the tasks
	defer stop()
	placed := make(chan error, 1)
	begun := make(chan struct{}) // the tasks are given to Spark
	go func() {
		placed <- c.machines.RunTasks(taskCtx, ship.Tasks{Count: n, Program: program.Program, Other: program.other, Invitation: r.Invitation(), Submitted: func() { close(begun) }})
	}()
	// Whatever happens, Spark's tasks have ended when this function returns, so that their slots are free.
	defer func() {
		r.Close()
		select {
		case <-placed:
		case <-time.After(leaveTime):
			stop()
			<-placed
		}
	}()

	tasks, err := c.gather(ctx, d, r, begun, placed)
	if err != nil {
		stop() // before the tasks that came are sent away, so that no other takes their slots
		return err
	}
	outputs := make([]io.Writer, d.ranks())
	for i := range outputs {
		outputs[i] = logs.writer(i)
	}
	tasks, work, err := c.assign(d, program.Program, tasks)
	if err != nil {
		return err
	}
	job, err := ranks.Begin(ctx, tasks, work, outputs, resultDir)
	if err != nil {
		stop()
		var fault *ranks.TaskError
		if errors.As(err, &fault) {
			return fmt.Errorf("distributor: %w", err)
		}
		return err
	}
	return waitAll(ctx, d, job, logs, resultDir)
}

// leaveTime is how long tasks may take to end by themselves when their ranks have; then Spark is told to end them.
const leaveTime = 5 * time.Second

// listen opens the rendezvous.
func (c cluster) listen(ctx context.Context, address string, n int) (*ranks.Rendezvous, error) {
	host, port, err := net.SplitHostPort(cmp.Or(address, ":0"))
	if err != nil {
		return nil, fmt.Errorf("field Listen: %w", err)
	}
	advertise := host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		if advertise, err = c.machines.Address(ctx); err != nil {
			return nil, err
		}
	}
	if address == "" {
		host = advertise // and no other
	}
	return ranks.Listen(net.JoinHostPort(host, port), advertise, n)
}

// gather waits until all tasks have come, for as long as tasks may wait for slots.
func (c cluster) gather(ctx context.Context, d TorchDistributor, r *ranks.Rendezvous, begun <-chan struct{}, placed chan error) ([]*ranks.Task, error) {
	patience := time.Duration(cmp.Or(d.PlacementSeconds, 25) * float64(time.Second))
	late, ended := errors.New("late"), errors.New("all that were begun have ended")
	waitCtx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go func() {
		var timeout <-chan time.Time
		for {
			select {
			case <-begun:
				begun, timeout = nil, time.After(patience)
			case <-timeout:
				stop(late)
				return
			case err := <-placed:
				placed <- err
				stop(cmp.Or(err, ended))
				return
			case <-waitCtx.Done():
				return
			}
		}
	}()
	tasks, err := r.Wait(waitCtx)
	switch cause := context.Cause(waitCtx); {
	case err == nil:
		return tasks, nil
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case cause == late:
		strangers := ""
		if n := r.Strangers(); n > 0 {
			strangers = fmt.Sprintf("; %d connections to %s were turned away because they did not know the job's token", n, r.Address())
		}
		slots := "slots"
		if d.UseGPU {
			slots = fmt.Sprintf("slots with a GPU (%s=%d)", confGPUs, c.perTask)
		}
		return nil, fmt.Errorf("distributor: only %d of %d tasks have come within %v: not enough free %s on %s, or executors that cannot reach %s%s; ask for fewer processes, end other work, or raise PlacementSeconds", len(tasks), d.ranks()/c.perTask, patience, slots, c.session, r.Address(), strangers)
	default:
		return nil, fmt.Errorf("distributor: %d of %d tasks have come: %w", len(tasks), d.ranks()/c.perTask, cause)
	}
}

// assign makes ranks of tasks, numbered through in the order that it gives them: of each machine's tasks those of torchrun's
// contract, RANK being GROUP_RANK·LOCAL_WORLD_SIZE+LOCAL_RANK. Where machines have unequal numbers of tasks, which that
// contract, and the order of samples that rests on it, doesn't know, each task counts as a machine, as it does in PySpark; so it
// does where tasks of a machine call their GPUs the same, as those of containers do, each of which has GPUs of its own.
func (c cluster) assign(d TorchDistributor, program ship.Program, tasks []*ranks.Task) ([]*ranks.Task, []ranks.Work, error) {
	var nodes []string
	on := map[string][]*ranks.Task{}
	for _, t := range tasks {
		if on[t.Node] == nil {
			nodes = append(nodes, t.Node)
		}
		on[t.Node] = append(on[t.Node], t)
	}
	even := true
	for _, node := range nodes {
		even = even && len(on[node]) == len(on[nodes[0]]) && (!d.UseGPU || distinctGPUs(on[node]))
	}
	env, paths := slices.Concat(program.Env, d.Env), libtorch()
	var files ranks.Files
	if shim, err := torch.BuiltShim(); err == nil { // executors seldom have a compiler
		files = ranks.Files{Env: torch.EnvShimDir, Content: shim}
	}
	var ordered []*ranks.Task
	var all []ranks.Work
	for n, node := range nodes {
		var gpus []string // of the machine's tasks: all of its ranks see the same ones, in the order of LOCAL_RANK
		for _, t := range on[node] {
			gpus = append(gpus, t.GPUs...)
		}
		for i, t := range on[node] {
			work := ranks.Work{First: len(ordered) * c.perTask, Args: program.Args, Env: env, Paths: paths, Files: files, Data: absolute(d.Data)}
			for k := range c.perTask {
				w := dist.World{
					Rank: work.First + k, Size: d.ranks(), MasterAddr: tasks[0].Addr, MasterPort: tasks[0].Port,
					LocalRank: i*c.perTask + k, LocalSize: len(on[node]) * c.perTask, NodeRank: n,
				}
				cpus, visible := threads(t.CPUs, w.LocalSize), gpus
				if !even {
					w.LocalRank, w.LocalSize, w.NodeRank, visible = k, c.perTask, len(ordered), t.GPUs
				}
				own := append(w.Env(), cpus)
				switch {
				case !d.UseGPU:
					own = append(own, "CUDA_VISIBLE_DEVICES=") // Spark may have given the tasks some nevertheless
				case len(visible) > 0:
					own = append(own, dist.EnvUseGPU+"=1", "CUDA_VISIBLE_DEVICES="+strings.Join(visible, ","))
				case even:
					own = append(own, dist.EnvUseGPU+"=1")
				default:
					return nil, nil, fmt.Errorf("distributor: the machines have unequal numbers of tasks, and Spark does not say which GPU is whose, since its executors have no Python: ask for as many tasks on each (%s)", strings.Join(hosts(tasks), ", "))
				}
				work.Ranks = append(work.Ranks, own)
			}
			ordered, all = append(ordered, t), append(all, work)
		}
	}
	return ordered, all, nil
}

// distinctGPUs tells whether no two tasks of a machine have GPUs of the same name.
func distinctGPUs(tasks []*ranks.Task) bool {
	seen := map[string]bool{}
	for _, t := range tasks {
		for _, gpu := range t.GPUs {
			if seen[gpu] {
				return false
			}
			seen[gpu] = true
		}
	}
	return true
}

// hosts are the names of the tasks' machines.
func hosts(tasks []*ranks.Task) []string {
	var all []string
	for _, t := range tasks {
		all = append(all, t.Host)
	}
	return all
}

// absolute makes local folders independent of the working folder, which is another one on executors.
func absolute(data []string) []string {
	all := make([]string, len(data))
	for i, root := range data {
		all[i] = root
		if path, ok := store.LocalPath(root); ok {
			if a, err := filepath.Abs(path); err == nil {
				all[i] = a
			}
		}
	}
	return all
}
