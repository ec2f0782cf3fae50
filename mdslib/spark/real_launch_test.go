//go:build spark

package spark

// Training jobs whose ranks run on the executors.

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"gomosaic/kernel/cell/rt/reexec"
	"gomosaic/mdslib"
	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
)

func init() {
	// The session of another engine of the same server, whose executors seem to have no Python.
	mdslib.RegisterEngine("no-python", func(context.Context, string) (mdslib.Engine, error) {
		return &engine{client: direct.client, worker: newWorker(), probes: probes{refusals: map[writers]string{byMapInArrow: "no Python here"}}}, nil
	})
}

// train trains a small model data-parallel, each rank on its own data, and returns the weights and losses.
func train(ctx context.Context, w dist.World) ([]float64, error) {
	torch.ManualSeed(1)
	group, err := dist.Init(ctx, w, dist.GroupOptions{})
	if err != nil {
		return nil, err
	}
	defer group.Close()
	model := nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
	ddp, err := dist.DDP(model, group)
	if err != nil {
		return nil, err
	}
	defer ddp.Close()
	opt := optim.SGD(model.Parameters(), optim.SGDOptions{LR: 0.1, Momentum: 0.9})
	var seen []float64
	for step := range 5 {
		var values []float32
		for i := range 16 * 4 {
			values = append(values, float32((i*7+step*3+w.Rank*5)%11)/11)
		}
		labels := make([]int64, 16)
		for i := range labels {
			labels[i] = int64((i + w.Rank) % 3)
		}
		torch.Step(func() {
			loss := nn.CrossEntropy(ddp.Forward(torch.FromSlice(values, 16, 4)), torch.FromSlice(labels))
			opt.ZeroGrad()
			loss.Backward()
			opt.Step()
			seen = append(seen, loss.Item())
		})
		fmt.Printf("rank %d of %d: step %d\n", w.Rank, w.Size, step)
	}
	for _, p := range model.Parameters() {
		seen = append(seen, p.Float64s()...)
	}
	return seen, group.Barrier()
}

func failSecond(ctx context.Context, w dist.World) (int, error) {
	if w.Rank == 1 {
		return 0, errors.New("sample 7: no petals")
	}
	<-ctx.Done()
	return 0, ctx.Err()
}

func sleepLong(ctx context.Context, w dist.World) (int, error) {
	fmt.Println("pid", os.Getpid())
	time.Sleep(time.Hour)
	return 0, nil
}

func noTorch(ctx context.Context, w dist.World) (string, error) {
	l, err := torch.Find()
	return l.Dir, err
}

func place(_ context.Context, w dist.World) (string, error) {
	return fmt.Sprintf("%d of %d on the machine, GPUs %s", w.LocalRank, w.LocalSize, os.Getenv("CUDA_VISIBLE_DEVICES")), nil
}

// ranks are the functions that ranks run.
var ranks = []reexec.Function{rank(train), rank(failSecond), rank(sleepLong), rank(noTorch), rank(place)}

func rank[T any](fn func(context.Context, dist.World) (T, error)) reexec.Function {
	return reexec.Function{Func: fn, Run: func() { distributor.RankMain(fn) }}
}

// mainRank is the main of a rank of a program without reexec.Main: it reaches the launching calls straight away.
func mainRank() {
	ctx, d := context.Background(), distributor.TorchDistributor{}
	distributor.Run(ctx, d, sleepLong)
	log.Fatal("no such rank function")
}

// mainLauncher launches ranks that sleep, from a session of its own, and will be killed.
func mainLauncher() {
	s, err := mdslib.Connect(context.Background(), os.Getenv("GOMOSAIC_TEST_LAUNCHER"))
	if err == nil {
		os.Unsetenv("GOMOSAIC_TEST_LAUNCHER")
		_, err = distributor.Run(context.Background(), distributor.TorchDistributor{NumProcesses: 2, Session: s, Log: func(_ int, line string) { fmt.Println(line) }}, sleepLong)
	}
	log.Fatal(err)
}

// ways are the sessions by which ranks get on executors.
func ways(t *testing.T) map[string]*mdslib.Session {
	t.Helper()
	transform, err := mdslib.Connect(t.Context(), "no-python")
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*mdslib.Session{"barrier": session, "TRANSFORM": transform}
}

// nothingLeft waits until processes have ended, and both executors' slots are free: two more tasks fit in at the same time, at the
// latest when an executor that was lost has another in its place.
func nothingLeft(t *testing.T, pids []string) {
	t.Helper()
	for start := time.Now(); len(pids) > 0; time.Sleep(20 * time.Millisecond) {
		pids = slices.DeleteFunc(pids, func(pid string) bool {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			return err != nil || strings.Contains(string(stat), ") Z ")
		})
		if time.Since(start) > inTime {
			t.Fatalf("ranks %q still run", pids)
		}
	}
	for range 2 {
		if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, Session: session, PlacementSeconds: 40}, noTorch); err != nil {
			t.Errorf("another job: %v", err)
		}
	}
}

// TestLaunch: two ranks on two executors train as two on this machine do, to the bit; what they print arrives.
func TestLaunch(t *testing.T) {
	d := distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, Log: func(int, string) {}}
	want, err := distributor.Run(t.Context(), d, train)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range ways(t) {
		t.Run(name, func(t *testing.T) {
			var said []string
			start := time.Now()
			d := distributor.TorchDistributor{NumProcesses: 2, Session: s, Log: func(rank int, line string) { said = append(said, fmt.Sprint(rank, ": ", line)) }}
			if name == "TRANSFORM" { // a machine that never saw libtorch and has no compiler
				d.Env = []string{"XDG_CACHE_HOME=" + t.TempDir(), "CXX=/no/such/compiler"}
			}
			got, err := distributor.Run(t.Context(), d, train)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%.1f s", time.Since(start).Seconds())
			if !slices.Equal(got, want) || len(got) != 5+4*8+8+8*3+3 {
				t.Errorf("losses and weights %v\nhere %v", got, want)
			}
			for _, line := range []string{"0: rank 0 of 2: step 4", "1: rank 1 of 2: step 4"} {
				if !slices.Contains(said, line) {
					t.Errorf("the log lacks %q: %q", line, said)
				}
			}
		})
	}
}

// TestLaunchFailures: each is said with its rank, host and cause, in time, and leaves the executors free.
func TestLaunchFailures(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	seen := t.TempDir()
	if err := os.WriteFile(filepath.Join(seen, "index.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	folder, err := os.Open(seen)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	ours := fmt.Sprintf("/proc/self/fd/%d", folder.Fd()) // a path that only this process sees
	if _, err := os.ReadFile(ours + "/index.json"); err != nil {
		t.Fatal(err)
	}
	for way, s := range ways(t) {
		for name, test := range map[string]struct {
			d    distributor.TorchDistributor
			run  func(context.Context, distributor.TorchDistributor) error
			says []string
		}{
			"rank":     {distributor.TorchDistributor{}, runs(failSecond), []string{"rank 1 on host " + host + " failed (exit status 1)", "sample 7: no petals"}},
			"data":     {distributor.TorchDistributor{Data: []string{seen, ours}}, runs(train), []string{"rank ", " on host " + host, ours, "index.json"}},
			"slots":    {distributor.TorchDistributor{NumProcesses: 3, PlacementSeconds: 3}, runs(train), []string{" of 3 tasks have come within 3s: not enough free slots"}},
			"libtorch": {distributor.TorchDistributor{Env: []string{torch.EnvTorchDir + "=/no/libtorch"}}, runs(noTorch), []string{" on host " + host, "no libtorch found", "/no/libtorch"}},
		} {
			t.Run(way+" "+name, func(t *testing.T) {
				test.d.Session = s
				test.d.Log = func(int, string) {}
				if test.d.NumProcesses == 0 {
					test.d.NumProcesses = 2
				}
				start := time.Now()
				err := test.run(t.Context(), test.d)
				for _, text := range test.says {
					if err == nil || !strings.Contains(err.Error(), text) {
						t.Errorf("error %v lacks %q", err, text)
					}
				}
				var rank *distributor.RankError
				if took := time.Since(start); took > inTime || errors.As(err, &rank) && time.Since(rank.At) > inTime {
					t.Errorf("after %v: %v", took, err)
				}
				t.Logf("%.1f s: %v", time.Since(start).Seconds(), err)
				nothingLeft(t, nil)
			})
		}
	}
}

// runs is a launch whose result is no matter.
func runs[T any](fn func(context.Context, dist.World) (T, error)) func(context.Context, distributor.TorchDistributor) error {
	return func(ctx context.Context, d distributor.TorchDistributor) error {
		_, err := distributor.Run(ctx, d, fn)
		return err
	}
}

// TestLaunchInterrupt: nothing of an interrupted job is left when Run returns. While it runs, no invitation stands in
// a process list or a log.
func TestLaunchInterrupt(t *testing.T) {
	for way, s := range ways(t) {
		t.Run(way, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			stopped := errors.New("the cell was interrupted")
			lines, done := make(chan string, 2), make(chan error, 1)
			go func() {
				d := distributor.TorchDistributor{NumProcesses: 2, Session: s, GraceSeconds: 0.1, Log: func(_ int, line string) { lines <- line }}
				_, err := distributor.Run(ctx, d, sleepLong)
				done <- err
			}()
			var pids []string
			for range 2 {
				select {
				case line := <-lines:
					pids = append(pids, strings.TrimPrefix(line, "pid "))
				case err := <-done:
					t.Fatal(err)
				}
			}
			secretive(t)
			start := time.Now()
			cancel(stopped)
			if err := <-done; !errors.Is(err, stopped) || time.Since(start) > inTime {
				t.Errorf("err = %v after %v, want %v", err, time.Since(start), stopped)
			}
			nothingLeft(t, pids)
		})
	}
}

// secretive checks that what lets a task into a job stands in files for the executors' user alone: in no command line, and in
// nothing that executors log.
func secretive(t *testing.T) {
	t.Helper()
	commands, err := exec.Command("ps", "-eo", "args").Output()
	if err != nil || !strings.Contains(string(commands), "gomosaic-worker") {
		t.Errorf("no worker in the process list: %v", err)
	}
	said := map[string]string{"the process list": string(commands)}
	invitations, onExecutors := map[string]bool{}, 0
	err = filepath.WalkDir(ours.running[master].dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // files come and go
		}
		switch name := entry.Name(); {
		case strings.HasPrefix(name, "invitation-"):
			text, err := os.ReadFile(path)
			info, infoErr := entry.Info()
			if err != nil || infoErr != nil {
				return nil
			}
			if strings.Contains(path, filepath.Join("work", "app-")) {
				if onExecutors++; info.Mode().Perm()&0o044 != 0 {
					t.Errorf("%s is for others to read, too: %v", path, info.Mode())
				}
			}
			invitations[string(text)] = true
		case name == "stderr" || name == "stdout":
			text, _ := os.ReadFile(path)
			said[path] = string(text)
		}
		return nil
	})
	if err != nil || onExecutors == 0 || len(said) < 3 {
		t.Errorf("%d invitations, %d of them on executors, %d logs, %v", len(invitations), onExecutors, len(said), err)
	}
	for invitation := range invitations {
		for where, text := range said {
			if strings.Contains(text, invitation) {
				t.Errorf("an invitation stands in %s", where)
			}
		}
	}
}

// TestLauncherKilled: a kernel that is killed leaves no rank.
func TestLauncherKilled(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	launcher := exec.Command(os.Args[0])
	launcher.Env = append(os.Environ(), "GOMOSAIC_TEST_LAUNCHER="+remote())
	launcher.Stderr = os.Stderr
	out, err := launcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := launcher.Start(); err != nil {
		t.Fatal(err)
	}
	pids := make([]string, 2)
	if _, err := fmt.Fscanf(out, "pid %s\npid %s\n", &pids[0], &pids[1]); err != nil {
		t.Error(err)
	}
	launcher.Process.Kill()
	launcher.Wait()
	nothingLeft(t, pids)
}

// executorOf is the executor that a process on it descends from: the nearest Java above it.
func executorOf(t *testing.T, pid string) int {
	t.Helper()
	for pid != "1" {
		if exe, err := os.Readlink("/proc/" + pid + "/exe"); err == nil && filepath.Base(exe) == "java" {
			n, _ := strconv.Atoi(pid)
			return n
		}
		stat, err := os.ReadFile("/proc/" + pid + "/stat")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		pid = strings.Fields(rest)[1]
	}
	t.Fatal("no Java above it")
	return 0
}

// TestLaunchExecutorKilled: when an executor dies under its ranks, Run says within seconds which rank was lost and where; no rank
// is left, and the cluster takes other jobs.
func TestLaunchExecutorKilled(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for way, s := range ways(t) {
		if way != "barrier" && os.Getenv("GOMOSAIC_LONG") == "" {
			continue // each executor that is lost takes Spark half a minute to replace
		}
		t.Run(way, func(t *testing.T) {
			lines, done := make(chan [2]string, 2), make(chan error, 1)
			go func() {
				d := distributor.TorchDistributor{NumProcesses: 2, Session: s, GraceSeconds: 0.1, Log: func(rank int, line string) { lines <- [2]string{strconv.Itoa(rank), line} }}
				_, err := distributor.Run(t.Context(), d, sleepLong)
				done <- err
			}()
			var pids []string
			killed := ""
			for range 2 {
				select {
				case line := <-lines:
					killed = line[0]
					pids = append(pids, strings.TrimPrefix(line[1], "pid "))
				case err := <-done:
					t.Fatal(err)
				}
			}
			start := time.Now()
			if err := syscall.Kill(executorOf(t, pids[1]), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			err := <-done
			if want := "rank " + killed + " on host " + host + " failed (its executor or its machine is lost"; err == nil || !strings.Contains(err.Error(), want) || time.Since(start) > inTime {
				t.Errorf("after %v: %v, want %s", time.Since(start), err, want)
			}
			t.Logf("%.1f s: %v", time.Since(start).Seconds(), err)
			nothingLeft(t, pids)
		})
	}
}
