package kernel

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What one cell may cost for as long as its notebook is open, on average: the host keeps its plugin, the front its source,
// types and place.
const (
	hostCellBytes  = 3_500_000
	frontCellBytes = 200_000
)

// TestSoak runs very many cells in one notebook, of all the usual kinds, and records the memory of the front and of the
// host on the way, into bench/out/soak.tsv where there are a thousand.
func TestSoak(t *testing.T) {
	cells, step := 40, 10
	if os.Getenv("GOMOSAIC_LONG") != "" {
		cells, step = 1000, 100
	}
	c, cmd := startLive(t)
	text(t, c, "import (\"fmt\"; \"strings\"; \"time\")\ntotal, jobs := 0, make(chan int)\ntype point struct{ x, y int }\nfunc add(k int) int { total += k; return total }")
	hosts := children(t, cmd.Process.Pid)
	if len(hosts) != 1 {
		t.Fatalf("the front has %d children", len(hosts))
	}
	table := "cells\tfront_bytes\thost_bytes\n"
	front0, host0 := resident(t, cmd.Process.Pid), resident(t, hosts[0])
	note := func(n int) (front, host int64) {
		front, host = resident(t, cmd.Process.Pid), resident(t, hosts[0])
		table += fmt.Sprintf("%d\t%d\t%d\n", n, front, host)
		return front, host
	}
	note(0)
	var front, host int64
	for i := range cells {
		code, want := fmt.Sprintf("add(%d) >= 0", i), "true"
		switch i % 8 {
		case 1:
			code, want = fmt.Sprintf("func f%d(k int) string { return strings.Repeat(\"ab\", k) }\nf%d(2)", i, i), "abab"
		case 2:
			code, want = fmt.Sprintf("p%d := point{%d, 2}\nfmt.Println(p%d.y)", i, i, i), "2\n"
		case 3:
			code, want = "go func() { jobs <- 7 }()\nfmt.Println(<-jobs)", "7\n"
		case 4:
			code, want = "for k := range 20000 { fmt.Println(k) }", "0\n1\n2\n"
		case 5:
			code, want = "select { case v := <-jobs: fmt.Println(v); case <-time.After(time.Millisecond): fmt.Println(\"late\") }", "late\n"
		case 6:
			code, want = "func add(k int) int { total += k + 1; return total }\nadd(1) > 0", "true"
		case 7:
			reply, _ := c.run("undefinedName + 1")
			if reply["status"] != "error" {
				t.Fatalf("cell %d: %v", i, reply)
			}
			reply, _ = c.run("var none map[string]int\nnone[\"a\"] = 1")
			if reply["status"] != "error" {
				t.Fatalf("cell %d: %v", i, reply)
			}
		}
		if got := text(t, c, code); !strings.HasPrefix(got, want) {
			t.Fatalf("cell %d: %q gave %.80q, want %q", i, code, got, want)
		}
		if (i+1)%step == 0 {
			front, host = note(i + 1)
		}
	}
	t.Logf("resident memory:\n%s", table)
	if grown := (host - host0) / int64(cells); grown > hostCellBytes {
		t.Errorf("the host grew by %d bytes a cell", grown)
	}
	if grown := front - front0; grown > 30<<20+frontCellBytes*int64(cells) {
		t.Errorf("the front grew by %d bytes in %d cells", grown, cells)
	}
	if left := children(t, cmd.Process.Pid); len(left) != 1 || left[0] != hosts[0] {
		t.Errorf("the front's children are %v, and were %v", left, hosts)
	}
	if cells >= 1000 {
		out := filepath.Join(moduleDir(t), "bench", "out")
		if err := os.MkdirAll(out, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(out, "soak.tsv"), []byte(table), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// resident is a process's resident memory.
func resident(t *testing.T, pid int) int64 {
	t.Helper()
	statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(statm), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
