package distributor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gomosaic/mdslib"
	"gomosaic/mdslib/plan"
	"gomosaic/mdslib/ship"
	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor"
	"gomosaic/trainlib/distributor/ranks"
)

// processes is a cluster of this machine, whose tasks are processes. It has as many slots as it says.
type processes struct {
	mdslib.Engine
	slots    int
	settings map[string]string
	gpus     []string // of each task
	refusal  error    // why no tasks are run
}

func (c *processes) Address(context.Context) (string, error) { return "127.0.0.1", nil }

// RunTasks implements ship.Cluster.
func (c *processes) RunTasks(ctx context.Context, tasks ship.Tasks) error {
	if c.refusal != nil {
		return c.refusal
	}
	dir, err := os.MkdirTemp("", "processes-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	invitation := filepath.Join(dir, "invitation")
	if err := os.WriteFile(invitation, []byte(tasks.Invitation), 0o600); err != nil {
		return err
	}
	tasks.Submitted()
	var running sync.WaitGroup
	for i := range min(tasks.Count, c.slots) {
		cmd := exec.CommandContext(ctx, os.Args[0], "task", tasks.Program.Path, invitation, fmt.Sprint(i))
		cmd.Env = append(os.Environ(), "GOMOSAIC_TEST_TASK=1")
		if c.gpus != nil {
			cmd.Env = append(cmd.Env, "GOMOSAIC_TEST_GPUS="+c.gpus[i])
		}
		cmd.Stderr = os.Stderr
		running.Go(func() { cmd.Run() })
	}
	running.Wait()
	if c.slots < tasks.Count {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// SQL, Conf and SetConf implement mdslib.SQLEngine.
func (c *processes) SQL(context.Context, string) (plan.Node, error) {
	return nil, errors.ErrUnsupported
}
func (c *processes) SetConf(context.Context, string, string) error { return errors.ErrUnsupported }
func (c *processes) Conf(_ context.Context, key string) (string, error) {
	if value, ok := c.settings[key]; ok {
		return value, nil
	}
	return "", &mdslib.SparkError{Class: "SQL_CONF_NOT_FOUND", SQLState: "42K0I"}
}

// mainTask is the main of a task.
func mainTask() {
	invitation, err := os.ReadFile(os.Args[3])
	o := ranks.JoinOptions{Program: os.Args[2]}
	fmt.Sscan(os.Args[4], &o.Number)
	if gpus := os.Getenv("GOMOSAIC_TEST_GPUS"); gpus != "" {
		o.GPUs = strings.Split(gpus, ",")
	}
	os.Unsetenv("GOMOSAIC_TEST_TASK") // its ranks are none
	if err == nil {
		err = ranks.Join(context.Background(), string(invitation), o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// next is the cluster of the session that is connected next.
var next *processes

func init() {
	mdslib.RegisterEngine("processes", func(context.Context, string) (mdslib.Engine, error) { return next, nil })
}

// connect opens a session with a cluster.
func connect(t *testing.T, c *processes) *mdslib.Session {
	t.Helper()
	next = c
	session, err := mdslib.Connect(t.Context(), "processes")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Stop() })
	return session
}

// where says what a rank sees of its place.
func where(_ context.Context, w dist.World) (string, error) {
	fmt.Println("here is rank", w.Rank)
	return fmt.Sprintf("%+v CUDA=%s OWN=%s", w, os.Getenv("CUDA_VISIBLE_DEVICES"), os.Getenv("OWN")), nil
}

func large(context.Context, dist.World) ([]byte, error) { return make([]byte, 5<<20), nil }

// TestCluster: the ranks are tasks of the session, whichever names it; their places, logs and result are as in local mode.
func TestCluster(t *testing.T) {
	session := connect(t, &processes{slots: 3})
	for name, test := range map[string]struct {
		session *mdslib.Session
		listen  string
	}{"given": {session, ""}, "active": {nil, ""}, "every address": {nil, ":0"}, "one address": {nil, "127.0.0.2:0"}} {
		var log lines
		dir := t.TempDir()
		got, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 3, Session: test.session, Listen: test.listen, Log: log.add, LogDir: dir, Env: []string{"OWN=a b"}}, where)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got, "Rank:0 Size:3 LocalRank:0 LocalSize:3 NodeRank:0 MasterAddr:127.0.0.") || !strings.Contains(got, "MasterPort:") || !strings.HasSuffix(got, "CUDA= OWN=a b") {
			t.Errorf("%s: %s", name, got)
		}
		for i := range 3 {
			want := fmt.Sprintf("here is rank %d\n", i)
			if file, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("rank-%d.log", i))); string(file) != want || err != nil || !strings.Contains(log.text()+"\n", want) {
				t.Errorf("%s: rank %d: %q, %v\n%s", name, i, file, err, log.text())
			}
		}
	}
	if b, err := distributor.Run(t.Context(), distributor.TorchDistributor{}, large); len(b) != 5<<20 || err != nil {
		t.Errorf("a large result: %d, %v", len(b), err)
	}
	session.Stop()
	if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2}, where); err == nil || !strings.Contains(err.Error(), "need a Spark session") {
		t.Errorf("after Stop: %v", err)
	}
}

// TestClusterGPUs: tasks of two GPUs have two ranks; all ranks of a machine see its GPUs in the order of LOCAL_RANK.
func TestClusterGPUs(t *testing.T) {
	settings := map[string]string{"spark.task.resource.gpu.amount": "2"}
	session := connect(t, &processes{slots: 2, settings: settings, gpus: []string{"5,4", "1,0"}})
	d := distributor.TorchDistributor{NumProcesses: 4, UseGPU: true, Session: session}
	got, err := distributor.Run(t.Context(), d, where)
	if err != nil || !strings.Contains(got, "Size:4 LocalRank:0 LocalSize:4") || !strings.Contains(got, "CUDA=5,4,1,0 ") {
		t.Errorf("%s, %v", got, err)
	}
	refused := func(d distributor.TorchDistributor, want string) {
		t.Helper()
		if _, err := distributor.Run(t.Context(), d, where); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	d.NumProcesses = 3
	refused(d, "NumProcesses (3) must be a multiple of 'spark.task.resource.gpu.amount' (2)")
	settings["spark.task.resource.gpu.amount"] = "0.5"
	refused(d, "'spark.task.resource.gpu.amount' is 0.5: want a whole number")
	settings["spark.task.resource.gpu.amount"] = "1"
	d.NumProcesses = 3
	tooFew(t, d, "slots with a GPU (spark.task.resource.gpu.amount=1)")
	delete(settings, "spark.task.resource.gpu.amount")
	refused(d, "'spark.task.resource.gpu.amount' was unset, so gpu usage is unavailable")
	settings["spark.ssl.enabled"] = "true"
	refused(distributor.TorchDistributor{Session: session}, "TLS enabled")
	settings["pytorch.spark.distributor.ignoreSsl"] = "true"
	if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{Session: session}, where); err != nil {
		t.Error(err)
	}
}

// tooFew wants a job refused for which there are two slots and not three, however long a busy machine takes to start two tasks.
func tooFew(t *testing.T, d distributor.TorchDistributor, slots string) {
	t.Helper()
	for d.PlacementSeconds = 1; ; d.PlacementSeconds *= 2 {
		_, err := distributor.Run(t.Context(), d, where)
		if want := fmt.Sprintf("only 2 of 3 tasks have come within %v: not enough free %s", time.Duration(d.PlacementSeconds)*time.Second, slots); err != nil && strings.Contains(err.Error(), want) {
			return
		} else if err == nil || !strings.Contains(err.Error(), " of 3 tasks have come within ") || d.PlacementSeconds > 60 {
			t.Errorf("error %v, want %q", err, want)
			return
		}
	}
}

// TestClusterRefusals: what cannot be placed, or has no data, is said in time, and nothing of it is left.
func TestClusterRefusals(t *testing.T) {
	cluster := &processes{slots: 2}
	session := connect(t, cluster)
	tooFew(t, distributor.TorchDistributor{NumProcesses: 3, Session: session}, "slots on mdslib.Session(processes)")
	cluster.refusal = errors.New("no tulips on this cluster")
	if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, Session: session}, where); !errors.Is(err, cluster.refusal) || !strings.Contains(err.Error(), "0 of 2 tasks have come") {
		t.Errorf("a cluster that runs nothing: %v", err)
	}
	cluster.refusal = nil
	host, _ := os.Hostname()
	_, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, Session: session, Data: []string{"no/such/set"}}, where)
	wd, _ := os.Getwd()
	for _, want := range []string{"rank ", " on host " + host + ": ", filepath.Join(wd, "no/such/set"), "index.json"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v lacks %q", err, want)
		}
	}
	// A URL that tasks cannot open is the ranks' program to try.
	_, err = distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, Session: session, Data: []string{"nowhere://bucket/set"}, Log: func(int, string) {}}, where)
	if rank := (*distributor.RankError)(nil); !errors.As(err, &rank) || rank.Host != host || !strings.Contains(rank.Text, "nowhere://bucket/set") {
		t.Errorf("a URL: %v", err)
	}
	if _, err = distributor.Run(t.Context(), distributor.TorchDistributor{Session: session, Listen: "nowhere"}, where); err == nil || !strings.Contains(err.Error(), "Listen") {
		t.Errorf("Listen: %v", err)
	}
	if _, err = distributor.Run(t.Context(), distributor.TorchDistributor{LocalMode: true, Data: []string{"no/such/set"}}, where); err == nil || !strings.Contains(err.Error(), "no/such/set") {
		t.Errorf("local mode: %v", err)
	}
}

// TestClusterFailure: the first failure ends the job within two seconds, with its cause and place.
func TestClusterFailure(t *testing.T) {
	session := connect(t, &processes{slots: 2})
	for name, fail := range map[string]func(context.Context, dist.World) (int, error){"error": failOne, "panic": panicOne} {
		t.Run(name, func(t *testing.T) {
			want := map[string]string{"error": "sample 7: no petals", "panic": "index out of petals"}[name]
			host, _ := os.Hostname()
			var took time.Duration
			for range 10 { // a busy machine may be late many times, but not always
				var log lines
				_, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, Session: session, Log: log.add, GraceSeconds: 0.5}, fail)
				var rank *distributor.RankError
				if !errors.As(err, &rank) || rank.Host != host || !strings.HasPrefix(rank.Text, want) {
					t.Fatal(err)
				}
				if took = time.Since(rank.At); took <= 2*time.Second {
					return
				}
			}
			t.Errorf("%v after the failure", took)
		})
	}
}

// pidsOf starts a job of two ranks that sleep and returns their process ids.
func pidsOf(t *testing.T, run func(log func(int, string))) []int {
	t.Helper()
	pids := make(chan int, 2)
	go run(func(_ int, line string) {
		var pid int
		if _, err := fmt.Sscanf(line, "pid %d", &pid); err == nil {
			pids <- pid
		}
	})
	return []int{<-pids, <-pids}
}

// gone waits until processes have ended.
func gone(t *testing.T, pids []int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		pids = slices.DeleteFunc(pids, func(pid int) bool {
			stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
			return err != nil || strings.Contains(string(stat), ") Z ")
		})
		if len(pids) == 0 {
			return
		}
	}
	t.Errorf("ranks %v still run", pids)
}

// TestClusterInterrupt: an interrupted job leaves no rank, and Run returns when none is left.
func TestClusterInterrupt(t *testing.T) {
	session := connect(t, &processes{slots: 2})
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("the cell was interrupted")
	done := make(chan error, 1)
	pids := pidsOf(t, func(log func(int, string)) {
		_, err := distributor.Run(ctx, distributor.TorchDistributor{NumProcesses: 2, Session: session, Log: log, GraceSeconds: 0.1}, sleepLong)
		done <- err
	})
	cancel(stopped)
	if err := <-done; !errors.Is(err, stopped) {
		t.Errorf("err = %v, want %v", err, stopped)
	}
	gone(t, pids)
}

// TestClusterLauncherKilled: a launcher that is killed leaves no rank.
func TestClusterLauncherKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	launcher := exec.Command(os.Args[0])
	launcher.Env = append(os.Environ(), "GOMOSAIC_TEST_LAUNCHER=1")
	out, err := launcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := launcher.Start(); err != nil {
		t.Fatal(err)
	}
	var pids [2]int
	if _, err := fmt.Fscanf(out, "pid %d\npid %d\n", &pids[0], &pids[1]); err != nil {
		t.Error(err)
	}
	launcher.Process.Kill()
	launcher.Wait()
	gone(t, pids[:])
}

// mainLauncher is the main of a launcher that will be killed.
func mainLauncher() {
	next = &processes{slots: 2}
	session, err := mdslib.Connect(context.Background(), "processes")
	if err == nil {
		_, err = distributor.Run(context.Background(), distributor.TorchDistributor{NumProcesses: 2, Session: session, Log: func(_ int, line string) { fmt.Println(line) }}, sleepLong)
	}
	fmt.Println(err)
}
