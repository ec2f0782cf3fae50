package host

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"testing"
)

// frontVariable makes the test binary a front that starts a session, prints the process ids of the host and of a child
// that a cell started, and waits to be killed.
const frontVariable = "GOMOSAIC_TEST_FRONT"

func runFront(options string) int {
	var o Options
	if err := json.Unmarshal([]byte(options), &o); err != nil {
		fmt.Println(err)
		return 1
	}
	ctx := context.Background()
	s, err := Start(ctx, o)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	out := &recorder{}
	if err := s.Execute(ctx, "import \"os/exec\"\nc := exec.Command(\"sleep\", \"1000\")\ncheck(c.Start())\nc.Process.Pid", 1, out); err != nil {
		fmt.Println(err)
		return 1
	}
	var child int
	if _, err := fmt.Sscanf(out.text(), "=> %d", &child); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(s.host.pid, child)
	select {}
}

// TestFrontKilled kills a front by SIGKILL, which gives it no chance to clean up: the host and what its cells started
// must end all the same.
func TestFrontKilled(t *testing.T) {
	options, err := json.Marshal(testOptions)
	if err != nil {
		t.Fatal(err)
	}
	front := exec.Command(os.Args[0])
	front.Env = append(os.Environ(), frontVariable+"="+string(options))
	out, err := front.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := front.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("%q, %v", line, err)
	}
	var host, child int
	if _, err := fmt.Sscan(line, &host, &child); err != nil {
		t.Fatalf("the front said %q", line)
	}
	if err := front.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = front.Wait()
	for _, pid := range []int{host, child} {
		if !gone(pid) {
			t.Errorf("process %d outlived the front", pid)
		}
	}
	// The next session finds the folder that the killed one left behind and removes it.
	before := sessionFolders(t)
	openNotebook(t)
	if after := sessionFolders(t); after > before {
		t.Errorf("%d session folders before, %d after", before, after)
	}
}

func sessionFolders(t *testing.T) int {
	entries, err := os.ReadDir(testOptions.CacheDir + "/sessions")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
