package ranks_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gomosaic/trainlib/distributor/ranks"
)

// TestMain lets the test program be a task: its number, the program and the invitation come on standard input.
func TestMain(m *testing.M) {
	if os.Getenv("RANKS_TEST_TASK") == "" {
		os.Exit(m.Run())
	}
	var o ranks.JoinOptions
	var invited string
	fmt.Scan(&o.Number, &o.Program, &invited)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if err := ranks.Join(ctx, invited, o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// busy is longer than the busiest machine takes for what takes a moment.
const busy = time.Minute

// task starts a task as a process.
func task(t *testing.T, number int, program, invited string) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RANKS_TEST_TASK=1")
	cmd.Stdin = strings.NewReader(fmt.Sprintln(number, program, invited))
	said := &bytes.Buffer{}
	cmd.Stderr = said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		kill := time.AfterFunc(5*time.Second, func() { cmd.Process.Kill() })
		cmd.Wait()
		kill.Stop()
	})
	return cmd, said
}

// output collects what a rank prints.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func rendezvous(t *testing.T, n int) *ranks.Rendezvous {
	t.Helper()
	r, err := ranks.Listen("127.0.0.1:0", "", n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func wait(t *testing.T, r *ranks.Rendezvous) []*ranks.Task {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), busy)
	defer cancel()
	tasks, err := r.Wait(ctx)
	if err != nil {
		t.Fatalf("%d tasks, %v", len(tasks), err)
	}
	return tasks
}

// TestJob: tasks that come in any order run their ranks, two each, whose output, results and ends arrive.
func TestJob(t *testing.T) {
	r := rendezvous(t, 3)
	for _, i := range []int{2, 0, 1} {
		task(t, i, "/bin/sh", r.Invitation())
	}
	tasks := wait(t, r)
	var work []ranks.Work
	for i, task := range tasks {
		if task.Number != i || task.Host == "" || task.Addr != "127.0.0.1" || task.Port == 0 || task.CPUs < 1 {
			t.Errorf("task %d: %+v", i, task.Arrival)
		}
		script := `echo "rank $OWN on $GLOO_SOCKET_IFNAME, $SHARED, $HERE$NOWHERE $(cat $BROUGHT/a/b)"; dd if=/dev/zero bs=1M count=3 of=$GOMOSAIC_RANK_RESULT/rank-$OWN.result status=none; [ $OWN != 4 ] || exit 7`
		work = append(work, ranks.Work{
			First: 2 * i, Args: []string{"-c", script}, Env: []string{"SHARED=a b"}, Paths: []string{"HERE=/tmp", "NOWHERE=/no/such/place"},
			Files: ranks.Files{Env: "BROUGHT", Content: map[string][]byte{"a/b": []byte("along")}},
			Ranks: [][]string{{fmt.Sprint("OWN=", 2*i)}, {fmt.Sprint("OWN=", 2*i+1)}},
		})
	}
	outputs, dir := make([]io.Writer, 6), t.TempDir()
	for i := range outputs {
		outputs[i] = &output{}
	}
	job, err := ranks.Begin(t.Context(), tasks, work, outputs, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer job.Close()
	exits := map[int]string{}
	for range outputs {
		e := <-job.Ends()
		exits[e.Rank] = e.Exit
		if e.Host != tasks[0].Host || e.Skew.Abs() > 2*time.Second {
			t.Errorf("end %+v", e)
		}
	}
	for i, o := range outputs {
		want := ""
		if i == 4 {
			want = "exit status 7"
		}
		if exits[i] != want {
			t.Errorf("rank %d: %q, want %q", i, exits[i], want)
		}
		if got := fmt.Sprint(o); got != fmt.Sprintf("rank %d on lo, a b, /tmp along\n", i) {
			t.Errorf("rank %d printed %q", i, got)
		}
		if stat, err := os.Stat(ranks.ResultFile(dir, i)); err != nil || stat.Size() != 3<<20 {
			t.Errorf("rank %d: result %v", i, err)
		}
	}
}

// TestOutputInOtherHands: a rank that ended well has, although what it started keeps its output; the job ends that with itself.
func TestOutputInOtherHands(t *testing.T) {
	var out output
	p, err := ranks.Start([]ranks.Process{{Path: "/bin/sh", Args: []string{"-c", "sleep 1000 & echo $!"}, Output: &out}})
	if err != nil {
		t.Fatal(err)
	}
	if e := <-p.Ends(); e.Exit != "" {
		t.Errorf("it ended with %s", e.Exit)
	}
	p.Close()
	for start := time.Now(); running(t, strings.TrimSpace(out.String())); time.Sleep(10 * time.Millisecond) {
		if time.Since(start) > busy {
			t.Fatalf("%s still runs", &out)
		}
	}
}

// TestStrangers: nobody gets in without the token, and nobody who tries keeps the tasks out.
func TestStrangers(t *testing.T) {
	r := rendezvous(t, 1)
	for range 300 { // say nothing
		conn, err := net.Dial("tcp", r.Address())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
	}
	greeting := "gomosaic rendezvous" + strings.Repeat("n", 32)
	for name, text := range map[string]string{
		"http":           "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + strings.Repeat("x", 100),
		"zeroes":         string(make([]byte, 1000)),
		"a large frame":  greeting + "\xff\xff\xff\xff",
		"a made-up one":  greeting + "\x00\x00\x00\x40" + strings.Repeat("x", 64),
		"an empty frame": greeting + "\x00\x00\x00\x00",
	} {
		conn, err := net.Dial("tcp", r.Address())
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(text))
		conn.SetReadDeadline(time.Now().Add(busy))
		answer, err := io.ReadAll(conn)
		if strings.Contains(fmt.Sprint(err), "timeout") || len(answer) > len(greeting) {
			t.Errorf("%s: %d bytes, %v", name, len(answer), err)
		}
		conn.Close()
	}

	text, err := base64.RawURLEncoding.DecodeString(r.Invitation())
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(text, []byte(`"Token":"`)) + len(`"Token":"`)
	text[at] = 'A' + (text[at]-'A'+1)%26
	wrong, said := task(t, 0, "/bin/true", base64.RawURLEncoding.EncodeToString(text))
	if err := wrong.Wait(); err != nil {
		t.Logf("%v: %s", err, said)
	}
	if n := r.Strangers(); n < 6 {
		t.Errorf("%d strangers", n)
	}

	task(t, 0, "/bin/true", r.Invitation())
	wait(t, r)
}

// TestRefused: who knows the token but is not wanted hears why, and does not try again.
func TestRefused(t *testing.T) {
	r := rendezvous(t, 2)
	first, said := task(t, 0, "/bin/true", r.Invitation())
	for come := 0; come == 0; {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		tasks, err := r.Wait(ctx)
		cancel()
		if come = len(tasks); come > 1 || err == nil {
			t.Fatalf("%d tasks, %v", come, err)
		}
	}
	refused := func(number int, want string) {
		t.Helper()
		cmd, said := task(t, number, "/bin/true", r.Invitation())
		if err := cmd.Wait(); err != nil || !strings.Contains(said.String(), want) {
			t.Errorf("%v: %s, want %q", err, said, want)
		}
	}
	task(t, 0, "/bin/true", r.Invitation())
	if err := first.Wait(); err != nil || !strings.Contains(said.String(), "another attempt of this task has come") {
		t.Errorf("%v: %s", err, said)
	}
	refused(2, "the job has tasks 0 to 1, not 2")
	task(t, 1, "/bin/true", r.Invitation())
	wait(t, r)
	refused(1, "the job has all its tasks")
	r.Close()
	late, said := task(t, 1, "/bin/true", r.Invitation())
	if err := late.Wait(); err == nil || !strings.Contains(said.String(), "connection refused") {
		t.Errorf("after the end: %v: %s", err, said)
	}
}

// TestNotReady: where one task cannot do its work, no rank begins.
func TestNotReady(t *testing.T) {
	data := t.TempDir()
	if err := os.WriteFile(filepath.Join(data, "index.json"), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	began := filepath.Join(t.TempDir(), "began")
	for name, test := range map[string]struct {
		program string
		data    []string
		want    []string
	}{
		"data":    {"/bin/sh", []string{data, "/no/such/set"}, []string{"rank 1 on host ", "/no/such/set", "index.json", "no such file"}},
		"program": {"/no/such/program", nil, []string{"rank 1 on host ", "/no/such/program"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := rendezvous(t, 2)
			task(t, 0, "/bin/sh", r.Invitation())
			task(t, 1, test.program, r.Invitation())
			work := []ranks.Work{
				{First: 0, Args: []string{"-c", "touch " + began}, Ranks: [][]string{nil}, Data: []string{data}},
				{First: 1, Args: []string{"-c", "touch " + began}, Ranks: [][]string{nil}, Data: test.data},
			}
			_, err := ranks.Begin(t.Context(), wait(t, r), work, []io.Writer{&output{}, &output{}}, "")
			for _, want := range test.want {
				if !strings.Contains(fmt.Sprint(err), want) {
					t.Errorf("error %v lacks %q", err, want)
				}
			}
			time.Sleep(50 * time.Millisecond)
			if _, err := os.Stat(began); err == nil {
				t.Error("a rank has begun")
			}
		})
	}
}

// TestNothingIsLeft: whoever is lost, the launcher or the process that started a task, the ranks and what they started end.
func TestNothingIsLeft(t *testing.T) {
	for _, lost := range []string{"launcher", "parent", "task"} {
		t.Run(lost, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			r := rendezvous(t, 1)
			cmd, _ := task(t, 0, "/bin/sh", r.Invitation())
			if lost == "parent" { // a shell that starts the task, as Spark's may
				cmd.Process.Kill()
				cmd.Wait()
				r = rendezvous(t, 1)
				cmd = exec.Command("/bin/sh", "-c", `"$0" <&3 & wait`, os.Args[0])
				in, out, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				fmt.Fprintln(out, 0, "/bin/sh", r.Invitation())
				out.Close()
				cmd.ExtraFiles, cmd.Env = []*os.File{in}, append(os.Environ(), "RANKS_TEST_TASK=1")
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
			}
			said := &output{}
			work := ranks.Work{Args: []string{"-c", "trap '' TERM; sleep 1000 & echo $$ $!; wait; sleep 1000"}, Ranks: [][]string{nil}}
			job, err := ranks.Begin(t.Context(), wait(t, r), []ranks.Work{work}, []io.Writer{said}, "")
			if err != nil {
				t.Fatal(err)
			}
			for !strings.HasSuffix(said.String(), "\n") {
				time.Sleep(10 * time.Millisecond)
			}
			pids := strings.Fields(said.String())
			start := time.Now()
			if lost == "launcher" {
				job.Close()
			} else {
				cmd.Process.Kill()
			}
			if e := <-job.Ends(); e.Exit == "" || time.Since(start) > busy {
				t.Errorf("end %+v after %v", e, time.Since(start))
			}
			if lost == "task" {
				pids = pids[:1] // the kernel kills the rank with the task; its children nobody is left to kill
			}
			for len(pids) > 0 && time.Since(start) < busy {
				pids = slices.DeleteFunc(pids, func(pid string) bool { return !running(t, pid) })
				time.Sleep(20 * time.Millisecond)
			}
			if len(pids) > 0 {
				t.Errorf("%q still run", pids)
			}
		})
	}
}

// running tells whether a process is there and no zombie.
func running(t *testing.T, pid string) bool {
	if _, err := strconv.Atoi(pid); err != nil {
		t.Fatal(err)
	}
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	return err == nil && !bytes.Contains(stat, []byte(") Z "))
}
