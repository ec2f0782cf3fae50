//go:build spark

package spark

// Training jobs on servers with settings of their own.

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib"
	"gomosaic/trainlib/distributor"
)

// another starts another server, with settings of its own, and connects to it.
func another(t *testing.T, master string, settings ...string) *mdslib.Session {
	t.Helper()
	configure(t, settings...)
	s, err := mdslib.Connect(t.Context(), "spark-local:"+master)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Stop() })
	return s
}

// configure gives servers that the test starts settings of their own.
func configure(t *testing.T, settings ...string) {
	t.Helper()
	conf := t.TempDir()
	if err := os.WriteFile(filepath.Join(conf, "spark-defaults.conf"), []byte(strings.Join(settings, "\n")+"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SPARK_CONF_DIR", conf)
}

// TestLaunchWithoutBarrier: where executors come and go Spark refuses barriers, and the tasks are TRANSFORM's; here both in
// one executor.
func TestLaunchWithoutBarrier(t *testing.T) {
	s := another(t, "local-cluster[1,2,1024]", append(gpus(t, 1), "spark.dynamicAllocation.enabled true", "spark.dynamicAllocation.maxExecutors 1")...)
	for _, useGPU := range []bool{false, true} { // a task of TRANSFORM doesn't know which GPU is its own
		d := distributor.TorchDistributor{NumProcesses: 2, UseGPU: useGPU, Session: s}
		got, err := distributor.Run(t.Context(), d, place)
		if err != nil || got != "0 of 2 on the machine, GPUs " {
			t.Errorf("UseGPU %v: %q, %v", useGPU, got, err)
		}
	}
	d := distributor.TorchDistributor{NumProcesses: 3, UseGPU: true, Session: s, PlacementSeconds: 3}
	if _, err := distributor.Run(t.Context(), d, place); err == nil || !strings.Contains(err.Error(), "only 2 of 3 tasks have come within 3s: not enough free slots with a GPU") {
		t.Errorf("three ranks, two GPUs: %v", err)
	}
	e, err := openLocal(t.Context(), "spark-local:local-cluster[1,2,1024]")
	if err != nil {
		t.Fatal(err)
	}
	defer e.(*engine).Close()
	if _, err := e.(*engine).collectMapped(t.Context(), input(t, 2), "cat >/dev/null", true); err == nil || !barrierRefused(err) {
		t.Errorf("a barrier here: %v, so that this test shows nothing", err)
	}
}

// gpus are settings by which an executor has two GPUs, and a task so many of them. They are a script's that Spark asks for
// them, and no machine has them.
func gpus(t *testing.T, perTask int) []string {
	t.Helper()
	script := filepath.Join(t.TempDir(), "gpus")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"95\", \"93\"]}'\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	return []string{"spark.worker.resource.gpu.amount 2", "spark.worker.resource.gpu.discoveryScript " + script,
		"spark.executor.resource.gpu.amount 2", fmt.Sprint("spark.task.resource.gpu.amount ", perTask)}
}

// TestLaunchGPUs: a task has as many ranks as Spark gives it GPUs, and they see those. Where libtorch doesn't, training fails.
func TestLaunchGPUs(t *testing.T) {
	if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, UseGPU: true, Session: session}, place); err == nil || !strings.Contains(err.Error(), "'spark.task.resource.gpu.amount' was unset") {
		t.Errorf("without GPUs: %v", err)
	}
	s := another(t, "local-cluster[1,1,1024]", gpus(t, 2)...)
	d := distributor.TorchDistributor{NumProcesses: 2, UseGPU: true, Session: s}
	got, err := distributor.Run(t.Context(), d, place)
	if want := "0 of 2 on the machine, GPUs "; err != nil || got != want+"95,93" && got != want+"93,95" {
		t.Errorf("%q, %v", got, err)
	}
	cpu := d
	cpu.NumProcesses, cpu.UseGPU = 1, false
	if got, err := distributor.Run(t.Context(), cpu, place); err != nil || got != "0 of 1 on the machine, GPUs " {
		t.Errorf("without UseGPU: %q, %v", got, err)
	}
	d.Log = func(int, string) {}
	if _, err := distributor.Run(t.Context(), d, train); err == nil || !strings.Contains(err.Error(), " of 2 is to have a GPU, but libtorch sees 0 here") {
		t.Errorf("GPUs that are not there: %v", err)
	}
	d.NumProcesses, d.PlacementSeconds = 4, 3
	if _, err := distributor.Run(t.Context(), d, place); err == nil || !strings.Contains(err.Error(), "only 0 of 2 tasks have come within 3s: not enough free slots with a GPU (spark.task.resource.gpu.amount=2)") {
		t.Errorf("four ranks, two GPUs: %v", err)
	}
	d.NumProcesses = 3
	if _, err := distributor.Run(t.Context(), d, place); err == nil || !strings.Contains(err.Error(), "must be a multiple") {
		t.Errorf("three ranks, two GPUs a task: %v", err)
	}
}
