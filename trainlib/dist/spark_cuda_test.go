//go:build spark

package dist_test

// Ranks on the GPUs that Spark gives its tasks: part of make test-spark where there is a GPU.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/spark"
	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

func init() { // as TestMain does it
	if os.Getenv("GOMOSAIC_RANK_FUNC") != "" {
		ctx, d := context.Background(), distributor.TorchDistributor{}
		distributor.Run(ctx, d, seeGPUs)
		distributor.Run(ctx, d, exhaustGPU)
	}
}

// discovery is Spark's own script, examples/src/main/scripts/getGpusResources.sh.
const discovery = `#!/usr/bin/env bash
ADDRS=` + "`" + `nvidia-smi --query-gpu=index --format=csv,noheader | sed -e ':a' -e 'N' -e'$!ba' -e 's/\n/","/g'` + "`" + `
echo {\"name\": \"gpu\", \"addresses\":[\"$ADDRS\"]}
`

// withGPUs starts a server with one executor that has all GPUs of the machine, one for each task.
func withGPUs(t *testing.T, gpus int, settings ...string) *mdslib.Session {
	t.Helper()
	conf := t.TempDir()
	script := filepath.Join(conf, "getGpusResources.sh")
	if err := os.WriteFile(script, []byte(discovery), 0o777); err != nil {
		t.Fatal(err)
	}
	settings = append(settings, "spark.worker.resource.gpu.discoveryScript "+script, "spark.task.resource.gpu.amount 1",
		fmt.Sprint("spark.worker.resource.gpu.amount ", gpus), fmt.Sprint("spark.executor.resource.gpu.amount ", gpus))
	if err := os.WriteFile(filepath.Join(conf, "spark-defaults.conf"), []byte(strings.Join(settings, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SPARK_CONF_DIR", conf)
	s, err := mdslib.Connect(t.Context(), fmt.Sprintf("spark-local:local-cluster[1,%d,1024]", gpus))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

// seenGPUs is what a rank sees of GPUs.
type seenGPUs struct {
	Variable string // CUDA_VISIBLE_DEVICES
	Count    int
}

func seeGPUs(context.Context, dist.World) (seenGPUs, error) {
	return seenGPUs{os.Getenv("CUDA_VISIBLE_DEVICES"), torch.CUDADeviceCount()}, nil
}

// exhaustGPU takes more memory than the last rank's GPU has; the others wait for that rank.
func exhaustGPU(ctx context.Context, w dist.World) (struct{}, error) {
	group, err := dist.Init(ctx, w, dist.GroupOptions{TimeoutSeconds: 60})
	if err != nil {
		return struct{}{}, err
	}
	defer group.Close()
	if w.Rank == w.Size-1 {
		million := torch.Ones(1<<20, 1).To(group.Device())
		million.Matmul(million.T())
	}
	return struct{}{}, group.Barrier()
}

// TestSparkGPUs: a rank sees the GPUs that Spark gave, computes and is joined by NCCL there as on this machine; what goes wrong
// is said in time with its cause, and leaves the GPUs to the next job. So it is in barrier stages, and by TRANSFORM where
// executors come and go.
func TestSparkGPUs(t *testing.T) {
	torchtest.CUDA(t)
	gpus := torch.CUDADeviceCount()
	for way, settings := range map[string][]string{
		"barrier":   nil,
		"TRANSFORM": {"spark.dynamicAllocation.enabled true", "spark.dynamicAllocation.maxExecutors 1"},
	} {
		t.Run(way, func(t *testing.T) {
			d := distributor.TorchDistributor{NumProcesses: gpus, UseGPU: true, Session: withGPUs(t, gpus, settings...), Log: logTo(t)}
			d.Env = []string{"CUBLAS_WORKSPACE_CONFIG=:4096:8"}
			seen, err := distributor.Run(t.Context(), d, seeGPUs)
			addresses := strings.Split(seen.Variable, ",")
			slices.Sort(addresses)
			if err != nil || seen.Count != gpus || way == "barrier" && (len(slices.Compact(addresses)) != gpus || addresses[0] != "0") {
				t.Errorf("rank 0 sees %+v, %v", seen, err)
			}
			if device, err := distributor.Run(t.Context(), d, trainOnGPU); err != nil || device != "cuda:0" {
				t.Errorf("trained on %q, %v", device, err)
			}
			cpu := d
			cpu.UseGPU = false
			if device, err := distributor.Run(t.Context(), cpu, onWhichDevice); err != nil || device != "cpu cpu" {
				t.Errorf("without UseGPU: %q, %v", device, err)
			}

			start := time.Now()
			_, err = distributor.Run(t.Context(), d, exhaustGPU)
			var failed *distributor.RankError
			if !errors.As(err, &failed) || failed.Rank != gpus-1 || !strings.Contains(failed.Text, "out of memory") || time.Since(failed.At) > 2*time.Second {
				t.Errorf("a rank that takes too much, after %v: %v", time.Since(start), err)
			}
			more := d
			more.NumProcesses++
			start = time.Now()
			if _, err := distributor.Run(t.Context(), more, seeGPUs); err == nil || !strings.Contains(err.Error(), "not enough free slots with a GPU") || time.Since(start) > 30*time.Second {
				t.Errorf("more ranks than GPUs, after %v: %v", time.Since(start), err)
			} else {
				t.Logf("%v: %v", time.Since(start), err)
			}
			if again, err := distributor.Run(t.Context(), d, seeGPUs); err != nil || again != seen {
				t.Errorf("another job sees %+v, %v", again, err)
			}
		})
	}
}
