//go:build spark

package spark

// Training jobs on servers with settings of their own.

import (
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
	s := another(t, "local-cluster[1,2,1024]", "spark.dynamicAllocation.enabled true", "spark.dynamicAllocation.maxExecutors 1")
	got, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, Session: s}, place)
	if err != nil || got != "0 of 2 on the machine, GPUs " {
		t.Errorf("%q, %v", got, err)
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

// TestLaunchGPUs: a task has as many ranks as Spark gives it GPUs, and they see those. The GPUs are a script's that Spark asks
// for them; nothing is computed on them.
func TestLaunchGPUs(t *testing.T) {
	if _, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, UseGPU: true, Session: session}, place); err == nil || !strings.Contains(err.Error(), "'spark.task.resource.gpu.amount' was unset") {
		t.Errorf("without GPUs: %v", err)
	}
	script := filepath.Join(t.TempDir(), "gpus")
	if err := os.WriteFile(script, []byte("#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"5\", \"3\"]}'\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	s := another(t, "local-cluster[1,1,1024]", "spark.worker.resource.gpu.amount 2", "spark.worker.resource.gpu.discoveryScript "+script,
		"spark.executor.resource.gpu.amount 2", "spark.task.resource.gpu.amount 2")
	d := distributor.TorchDistributor{NumProcesses: 2, UseGPU: true, Session: s}
	got, err := distributor.Run(t.Context(), d, place)
	if want := "0 of 2 on the machine, GPUs "; err != nil || got != want+"5,3" && got != want+"3,5" {
		t.Errorf("%q, %v", got, err)
	}
	d.NumProcesses = 3
	if _, err := distributor.Run(t.Context(), d, place); err == nil || !strings.Contains(err.Error(), "must be a multiple") {
		t.Errorf("three ranks, two GPUs a task: %v", err)
	}
}
