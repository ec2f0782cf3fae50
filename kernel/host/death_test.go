package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestHostDeath(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"log\"; \"os\"; \"syscall\"; \"github.com/ebitengine/purego\")\nx := 1", "")
	for _, test := range []struct {
		name, code string
		want       []string
	}{
		{"stack overflow", "func down(n int) int { return down(n+1) + 1 }\ndown(0)", []string{"stack overflow", "at cell["}},
		{"stack overflow of small frames", "var small func(int) int\nsmall = func(n int) int { return small(n) + 1 }\nsmall(0)", []string{"stack overflow", "at cell["}},
		{"concurrent map writes", "m := map[int]int{}\nfor range 8 { go func() { for { m[1]++ } }() }\nselect {}", []string{"fatal error: concurrent map"}},
		{"os.Exit", "fmt.Println(\"before\")\nos.Exit(3)", []string{"before", "exit status 3", "os.Exit, log.Fatal"}},
		{"log.Fatal", "log.Fatal(\"no disk\")", []string{"no disk", "exit status 1"}},
		{"SIGKILL", "p, _ := os.FindProcess(os.Getpid())\np.Kill()\nselect {}", []string{"was killed (SIGKILL)", "it had used up to"}},
		{"SIGABRT", "syscall.Kill(os.Getpid(), syscall.SIGABRT)\nselect {}", []string{"SIGABRT"}},
		{"abort in C", "purego.SyscallN(check1(purego.Dlsym(purego.RTLD_DEFAULT, \"abort\")))", []string{"SIGABRT", "at cell["}},
		{"a bad pointer in C", "purego.SyscallN(check1(purego.Dlsym(purego.RTLD_DEFAULT, \"strlen\")), 8)", []string{"SIGSEGV", "at cell["}},
		{"its pipe closed", "syscall.Close(4)\nselect {}", []string{"killed"}},
		{"exit in C", "purego.SyscallN(check1(purego.Dlsym(purego.RTLD_DEFAULT, \"exit\")), 5)", []string{"exit status 5"}},
		{"out of memory, by a limit of the process", "var limit syscall.Rlimit\nlimit.Cur = 8 << 30; limit.Max = limit.Cur\ncheck(syscall.Setrlimit(syscall.RLIMIT_AS, &limit))\nvar keep [][]byte\nfor { keep = append(keep, make([]byte, 1<<30)) }", []string{"out of memory", "at cell["}},
	} {
		n.want("x := 2", "")
		n.fails(test.code, append(test.want, "host died", "variables and functions are gone")...)
		n.fails("x", "undefined: x")
		n.want("fmt.Println(\"alive\")", "alive") // imports are kept
	}
}

// TestFreshHostInTime: from a host's death to the cell's error, with a fresh host ready, takes no more than a second.
func TestFreshHostInTime(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"fmt\"; \"os\"; \"time\")", "")
	inTime(t, time.Second, "from os.Exit to the error with a fresh host", func() time.Duration {
		text, err := n.run("fmt.Println(time.Now().UnixNano())\nos.Exit(1)")
		now := time.Now()
		if err == nil {
			t.Fatal("the host lives")
		}
		number, _, _ := strings.Cut(text, "\n")
		died, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		select {
		case <-n.host.ready:
		default:
			t.Fatal("the fresh host is not ready")
		}
		took := now.Sub(time.Unix(0, died))
		t.Logf("from os.Exit to the error with a fresh host: %v", took)
		return took
	})
}

// TestKilledForMemory lets the system's memory controller end the host. Where no group can be made (it takes root's
// rights), the case of TestHostDeath that bounds the process itself is what there is.
func TestKilledForMemory(t *testing.T) {
	n := openNotebook(t)
	n.want("x := 1", "")
	if err := memoryGroup(t, n.host.pid, 256<<20); err != nil {
		t.Logf("no memory group: %v", err)
		n.want("x", "=> 1")
		return
	}
	n.fails("var keep [][]byte\nfor { b := make([]byte, 16<<20); for i := 0; i < len(b); i += 4096 { b[i] = 1 }; keep = append(keep, b) }",
		"host died", "out of memory", "it had used up to")
	n.want("1 + 1", "=> 2")
}

// memoryGroup puts a process into a control group of its own with a bound of memory.
func memoryGroup(t *testing.T, pid int, limitBytes int64) error {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return err
	}
	root, limit := "/sys/fs/cgroup", "memory.max"
	for line := range strings.Lines(string(own)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		if f[1] == "memory" {
			root, limit = filepath.Join("/sys/fs/cgroup/memory", f[2]), "memory.limit_in_bytes"
			break
		}
		if f[1] == "" {
			root = filepath.Join("/sys/fs/cgroup", f[2])
		}
	}
	group := filepath.Join(root, fmt.Sprintf("gomosaic-test-%d", pid))
	if err := os.Mkdir(group, 0o755); err != nil {
		return err
	}
	t.Cleanup(func() {
		for range 100 { // the kernel takes a moment to forget its last process
			if os.Remove(group) == nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	if err := os.WriteFile(filepath.Join(group, limit), []byte(fmt.Sprint(limitBytes)), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(group, "cgroup.procs"), []byte(fmt.Sprint(pid)), 0o644)
}
