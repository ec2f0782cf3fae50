package distributor

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gomosaic/mdslib/ship"
	"gomosaic/trainlib/distributor/ranks"
)

// TestAssign: who is who, by the machines on which tasks have come.
func TestAssign(t *testing.T) {
	for name, test := range map[string]struct {
		nodes   string // of the tasks
		perTask int
		gpu     bool
		gpus    string   // of the tasks, with commas within
		want    []string // of the tasks in their order: RANK/LOCAL_RANK of LOCAL_WORLD_SIZE on GROUP_RANK
	}{
		"one machine": {"a a", 1, false, "", []string{"0/0 of 2 on 0 with 4 threads, GPUs ", "1/1 of 2 on 0 with 4 threads, GPUs "}},
		"two machines": {"a b a b", 1, true, "3 1 2 0", []string{
			"0/0 of 2 on 0 with 4 threads, GPUs 3,2", "1/1 of 2 on 0 with 4 threads, GPUs 3,2", "2/0 of 2 on 1 with 4 threads, GPUs 1,0", "3/1 of 2 on 1 with 4 threads, GPUs 1,0",
		}},
		"unequal machines": {"a b a", 1, true, "3 1 2", []string{
			"0/0 of 1 on 0 with 4 threads, GPUs 3", "1/0 of 1 on 1 with 4 threads, GPUs 2", "2/0 of 1 on 2 with 8 threads, GPUs 1",
		}},
		"containers":     {"a a", 1, true, "0 0", []string{"0/0 of 1 on 0 with 4 threads, GPUs 0", "1/0 of 1 on 1 with 4 threads, GPUs 0"}},
		"no use of GPUs": {"a a", 1, false, "0 1", []string{"0/0 of 2 on 0 with 4 threads, GPUs ", "1/1 of 2 on 0 with 4 threads, GPUs "}},
		"two ranks a task": {"a b", 2, true, "1,0 1,0", []string{
			"0/0 of 2 on 0 with 4 threads, GPUs 1,0", "1/1 of 2 on 0 with 4 threads, GPUs 1,0", "2/0 of 2 on 1 with 4 threads, GPUs 1,0", "3/1 of 2 on 1 with 4 threads, GPUs 1,0",
		}},
		"nobody said":              {"a b", 1, true, "", []string{"0/0 of 1 on 0 with 8 threads, GPUs unchanged", "1/0 of 1 on 1 with 8 threads, GPUs unchanged"}},
		"unequal, and nobody said": {"a a b", 1, true, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			var tasks []*ranks.Task
			for i, node := range strings.Fields(test.nodes) {
				task := &ranks.Task{Arrival: ranks.Arrival{Number: i, Node: node, Addr: "10.0.0.1", Port: 100 + i, CPUs: 8}}
				if gpus := strings.Fields(test.gpus); len(gpus) > 0 {
					task.GPUs = strings.Split(gpus[i], ",")
				}
				tasks = append(tasks, task)
			}
			d := TorchDistributor{NumProcesses: len(tasks) * test.perTask, UseGPU: test.gpu}
			_, all, err := cluster{perTask: test.perTask}.assign(d, ship.Program{}, tasks)
			if (err == nil) != (test.want != nil) {
				t.Fatal(err)
			}
			var got []string
			for _, work := range all {
				for i, env := range work.Ranks {
					v := map[string]string{"CUDA_VISIBLE_DEVICES": "unchanged"}
					for _, variable := range env {
						name, value, _ := strings.Cut(variable, "=")
						v[name] = value
					}
					got = append(got, fmt.Sprintf("%s/%s of %s on %s with %s threads, GPUs %s", v["RANK"], v["LOCAL_RANK"], v["LOCAL_WORLD_SIZE"], v["GROUP_RANK"], v["OMP_NUM_THREADS"], v["CUDA_VISIBLE_DEVICES"]))
					if v["RANK"] != fmt.Sprint(work.First+i) || v["MASTER_PORT"] != "100" || v["WORLD_SIZE"] != fmt.Sprint(d.NumProcesses) {
						t.Errorf("environment %q", env)
					}
				}
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("ranks\n%q, want\n%q", got, test.want)
			}
		})
	}
}
