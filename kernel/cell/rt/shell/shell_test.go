package shell

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gomosaic/kernel/cell/rt"
)

func TestCd(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	t.Setenv("HOME", dir)
	previous = ""
	if err := cd("-"); err == nil {
		t.Error("cd - without a directory before")
	}
	if err := os.Mkdir("sub dir", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct{ folder, want string }{{"'sub dir'", "sub dir"}, {"-", ""}, {"~/sub dir", "sub dir"}, {"", ""}} {
		if err := cd(step.folder); err != nil {
			t.Errorf("%%cd %s: %v", step.folder, err)
		}
		at, err := os.Getwd()
		if want := filepath.Join(dir, step.want); err != nil || at != want {
			t.Errorf("%%cd %s leads to %s (%v), want %s", step.folder, at, err, want)
		}
	}
	if err := cd("missing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestEnv(t *testing.T) {
	t.Setenv("GM_SHELL_TEST", "")
	for args, want := range map[string]string{"GM_SHELL_TEST=a b": "a b", `GM_SHELL_TEST="quoted"`: "quoted", "GM_SHELL_TEST spaced": "spaced", "GM_SHELL_TEST=": "", "GM_SHELL_TEST=a=b": "a=b"} {
		if err := env(args); err != nil || os.Getenv("GM_SHELL_TEST") != want {
			t.Errorf("%%env %s: %q, %v", args, os.Getenv("GM_SHELL_TEST"), err)
		}
	}
	for _, bad := range []string{"GM_NOT_SET_ANYWHERE", "=x"} {
		if err := env(bad); err == nil {
			t.Errorf("%%env %s: no error", bad)
		}
	}
}

func TestWriteFile(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, step := range []struct{ args, text, want string }{
		{"a.txt", "one", "one\n"}, {"-a a.txt", "two\n", "one\ntwo\n"}, {`"a.txt"`, "", ""},
	} {
		if err := writeFile(step.args, step.text); err != nil {
			t.Errorf("%s: %v", step.args, err)
		}
		if b, err := os.ReadFile("a.txt"); string(b) != step.want {
			t.Errorf("%s: %q, %v", step.args, b, err)
		}
	}
	if err := writeFile("-q a.txt", "x"); err == nil || !strings.Contains(err.Error(), "no option but -a") {
		t.Errorf("an option that there is not: %v", err)
	}
	if err := writeFile("no/such/folder/a.txt", "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestRunUntil: a command's failure names it; the end of the context ends it and what it started.
func TestRunUntil(t *testing.T) {
	if err := runUntil(t.Context(), exec.Command("sh", "-c", "exit 4")); err == nil || err.Error() != "sh: exit status 4" {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	mark := filepath.Join(t.TempDir(), "mark")
	done := make(chan error, 1)
	go func() {
		done <- runUntil(ctx, exec.Command("sh", "-c", "trap '' INT; (sleep 60; touch "+mark+") & wait"))
	}()
	for deadline := time.Now().Add(time.Minute); len(descendants(os.Getpid())) < 4; { // this, sh, the subshell, sleep
		if time.Now().After(deadline) {
			t.Fatal("the command did not start")
		}
		time.Sleep(10 * time.Millisecond)
	}
	started := descendants(os.Getpid())[1:]
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	for _, pid := range started {
		for deadline := time.Now().Add(time.Minute); alive(pid); {
			if time.Now().After(deadline) {
				t.Fatalf("process %d is alive", pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// alive tells a process from one that has ended, waited for or not (proc(5): the state stands behind the name).
// TestOutputOrder: the host is asked to keep the order before a command prints and when it has, also when it fails.
func TestOutputOrder(t *testing.T) {
	dir := t.TempDir()
	var seen []string
	rt.SetHooks(rt.Hooks{Printed: func() error {
		text, err := os.ReadFile(filepath.Join(dir, "printed"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		seen = append(seen, string(text))
		return nil
	}})
	t.Cleanup(func() { rt.SetHooks(rt.Hooks{Printed: func() error { return nil }}) })
	for i, line := range []string{"echo 1", "echo 2; exit 3"} {
		err := runUntil(t.Context(), exec.Command("bash", "-c", "cd "+dir+"; exec >> printed; "+line))
		if (err != nil) != (i > 0) {
			t.Errorf("%s: %v", line, err)
		}
	}
	if want := []string{"", "1\n", "1\n", "1\n2\n"}; !slices.Equal(seen, want) {
		t.Errorf("asked when %q was printed, want %q", seen, want)
	}
}

func alive(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
