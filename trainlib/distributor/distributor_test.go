package distributor_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor"
)

// Metrics is what the ranks of these tests return.
type Metrics struct {
	Rank, Size int
	Env        map[string]string
}

func hello(_ context.Context, w dist.World) (Metrics, error) {
	fmt.Println("hello from rank", w.Rank)
	fmt.Fprint(os.Stderr, "no newline at the end")
	return Metrics{Rank: w.Rank, Size: w.Size, Env: map[string]string{"MASTER_PORT": os.Getenv("MASTER_PORT"), "OWN": os.Getenv("OWN")}}, nil
}

func nothing(context.Context, dist.World) (struct{}, error) { return struct{}{}, nil }

func failOne(ctx context.Context, w dist.World) (int, error) {
	if w.Rank == 1 {
		return 0, errors.New("sample 7: no petals")
	}
	<-ctx.Done() // SIGTERM reaches the well-behaved
	return 0, ctx.Err()
}

func panicOne(ctx context.Context, w dist.World) (int, error) {
	if w.Rank == 0 {
		panic("index out of petals")
	}
	select {} // deaf to SIGTERM: only SIGKILL helps
}

func exitOne(_ context.Context, w dist.World) (int, error) {
	fmt.Println("last words")
	os.Exit(7)
	return 0, nil
}

func sleepLong(ctx context.Context, w dist.World) (int, error) {
	fmt.Println("pid", os.Getpid())
	time.Sleep(time.Hour)
	return 0, nil
}

func channel(context.Context, dist.World) (chan int, error) { return make(chan int), nil }

// TestMain lets the test program be a rank: it reaches the launching calls straight away.
func TestMain(m *testing.M) {
	if os.Getenv("GOMOSAIC_RANK_FUNC") != "" {
		ctx, d := context.Background(), distributor.TorchDistributor{}
		distributor.Run(ctx, d, hello)
		distributor.Run(ctx, d, nothing)
		distributor.Run(ctx, d, failOne)
		distributor.Run(ctx, d, panicOne)
		distributor.Run(ctx, d, exitOne)
		distributor.Run(ctx, d, sleepLong)
		distributor.Run(ctx, d, channel)
		distributor.Run(ctx, d, where)
		distributor.Run(ctx, d, large)
		fmt.Println("no such rank function")
		os.Exit(2)
	}
	if os.Getenv("GOMOSAIC_TEST_TASK") != "" {
		mainTask()
	}
	if os.Getenv("GOMOSAIC_TEST_LAUNCHER") != "" {
		os.Unsetenv("GOMOSAIC_TEST_LAUNCHER") // its tasks are none
		mainLauncher()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lines collects what ranks print.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) add(rank int, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, fmt.Sprintf("[%d] %s", rank, line))
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.all, "\n")
}

func TestRunReturnsRankZero(t *testing.T) {
	var log lines
	dir := t.TempDir()
	got, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 3, LocalMode: true, Log: log.add, LogDir: dir, Env: []string{"OWN=a b"}}, hello)
	if err != nil {
		t.Fatal(err)
	}
	if got.Rank != 0 || got.Size != 3 || got.Env["OWN"] != "a b" || got.Env["MASTER_PORT"] == "" {
		t.Errorf("result = %+v", got)
	}
	for _, want := range []string{"[0] hello from rank 0", "[1] hello from rank 1", "[2] hello from rank 2", "[2] no newline at the end"} {
		if !strings.Contains(log.text(), want) {
			t.Errorf("log lacks %q:\n%s", want, log.text())
		}
	}
	file, err := os.ReadFile(filepath.Join(dir, "rank-2.log"))
	if err != nil || !strings.HasPrefix(string(file), "hello from rank 2\n") {
		t.Errorf("rank-2.log = %q, %v", file, err)
	}
}

func TestRunWithoutResult(t *testing.T) {
	if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{LocalMode: true}, nothing); err != nil {
		t.Fatal(err)
	}
}

func TestFirstFailureStopsTheJob(t *testing.T) {
	tests := []struct {
		name string
		run  func(d distributor.TorchDistributor) error
		rank int
		want []string
	}{
		{"error", func(d distributor.TorchDistributor) error {
			_, err := distributor.Run(t.Context(), d, failOne)
			return err
		}, 1, []string{"rank 1 failed", "sample 7: no petals"}},
		{"panic", func(d distributor.TorchDistributor) error {
			_, err := distributor.Run(t.Context(), d, panicOne)
			return err
		}, 0, []string{"rank 0 failed", "index out of petals", "panicOne"}},
		{"exit", func(d distributor.TorchDistributor) error {
			d.NumProcesses = 1
			_, err := distributor.Run(t.Context(), d, exitOne)
			return err
		}, 0, []string{"exit status 7", "last words"}},
		{"untravelling result", func(d distributor.TorchDistributor) error {
			d.NumProcesses = 1
			_, err := distributor.Run(t.Context(), d, channel)
			return err
		}, 0, []string{"chan int", "cannot travel"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var log lines
			err := test.run(distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, Log: log.add, GraceSeconds: 0.2})
			var rank *distributor.RankError
			if !errors.As(err, &rank) || rank.Rank != test.rank {
				t.Fatalf("err = %v, want a RankError of rank %d", err, test.rank)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestCancelLeavesNoRank(t *testing.T) {
	var log lines
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("the cell was interrupted")
	pids := make(chan int, 2)
	d := distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, GraceSeconds: 0.1, Log: func(rank int, line string) {
		log.add(rank, line)
		var pid int
		if _, err := fmt.Sscanf(line, "pid %d", &pid); err == nil {
			pids <- pid
		}
	}}
	done := make(chan error, 1)
	go func() {
		_, err := distributor.Run(ctx, d, sleepLong)
		done <- err
	}()
	running := []int{<-pids, <-pids}
	cancel(stopped)
	if err := <-done; !errors.Is(err, stopped) {
		t.Errorf("err = %v, want %v", err, stopped)
	}
	for _, pid := range running {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); err == nil {
			t.Errorf("rank with pid %d still runs", pid)
		}
	}
}

func TestRunProgram(t *testing.T) {
	var log lines
	d := distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, Log: log.add}
	if err := distributor.RunProgram(t.Context(), d, "/bin/sh", "-c", "echo rank $RANK of $WORLD_SIZE"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"[0] rank 0 of 2", "[1] rank 1 of 2"} {
		if !strings.Contains(log.text(), want) {
			t.Errorf("log lacks %q:\n%s", want, log.text())
		}
	}
	if err := distributor.RunProgram(t.Context(), d, "/no/such/program"); err == nil || !strings.Contains(err.Error(), "/no/such/program") {
		t.Errorf("err = %v, want one that names the program", err)
	}
}

func TestRefusals(t *testing.T) {
	for _, d := range []distributor.TorchDistributor{{NumProcesses: -1}, {NumProcesses: 2}, {NumProcesses: 64, LocalMode: true, UseGPU: true}} {
		if _, err := distributor.Run(t.Context(), d, hello); err == nil {
			t.Errorf("%+v was accepted", d)
		}
	}
}

func ExampleRunProgram() {
	d := distributor.TorchDistributor{NumProcesses: 1, LocalMode: true, Log: func(rank int, line string) { fmt.Println(line) }}
	if err := distributor.RunProgram(context.Background(), d, "/bin/sh", "-c", "echo $RANK/$WORLD_SIZE"); err != nil {
		fmt.Println(err)
	}
	// Output: 0/1
}
