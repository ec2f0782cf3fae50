package spark

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gomosaic/mdslib"
)

// TestDatabricks: a profile names the workspace, the compute and the token, and the server gets them as headers.
func TestDatabricks(t *testing.T) {
	certificate, authority := selfSigned(t, "localhost", time.Hour)
	f := &fake{}
	host := "https://localhost:" + f.serve(t, certificate)
	dir := t.TempDir()
	roots, profiles := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "databrickscfg")
	const secret = "dapisecretsecret"
	text := fmt.Sprintf("[cluster]\nhost = %[1]s\ntoken = %[2]s\ncluster_id = 1127-abc\n[serverless]\nhost = %[1]s\ntoken = %[2]s\nserverless_compute_id = auto\n"+
		"[none]\nhost = %[1]s\ntoken = %[2]s\n[wrong]\nhost = %[1]s\ntoken = %[2]s\ncluster_id = x\nserverless_compute_id = auto\n", host, secret)
	for file, content := range map[string][]byte{roots: authority, profiles: []byte(text)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", roots)
	t.Setenv("DATABRICKS_CONFIG_FILE", profiles)
	for _, name := range []string{"DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CLUSTER_ID", "DATABRICKS_CONFIG_PROFILE", "DATABRICKS_SERVERLESS_COMPUTE_ID"} {
		t.Setenv(name, "")
	}
	connect := func(url string) error {
		f.note(func() { f.headers = nil })
		_, err := mdslib.Connect(t.Context(), url)
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("the error has the token: %v", err)
		}
		return err
	}
	header := func(name string) string {
		f.mu.Lock()
		defer f.mu.Unlock()
		return strings.Join(f.headers[name], ",")
	}
	if err := connect("databricks://cluster"); err != nil {
		t.Fatal(err)
	}
	if header("authorization") != "Bearer "+secret || header("x-databricks-cluster-id") != "1127-abc" || header("x-databricks-session-id") != "" {
		t.Errorf("cluster: headers %v", f.headers)
	}
	e := mdslib.ActiveSession().Engine().(*engine)
	if script, err := e.script(t.Context(), &task{program: e.worker}, nil); err != nil || !strings.Contains(script, "gomosaic-worker") {
		t.Errorf("the script of a task: %q, %v", script, err)
	}
	if err := connect("databricks://serverless"); err != nil {
		t.Fatal(err)
	}
	if header("authorization") != "Bearer "+secret || header("x-databricks-cluster-id") != "" || len(header("x-databricks-session-id")) != 36 {
		t.Errorf("serverless: headers %v", f.headers)
	}
	for url, says := range map[string]string{
		"databricks://none":        "want either cluster_id",
		"databricks://wrong":       "want either cluster_id",
		"databricks://other":       "has no profile other",
		"databricks://":            "no Databricks workspace is configured",
		"databricks://a;token=abc": "the name of a profile",
	} {
		if err := connect(url); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", url, err, says)
		}
	}
	t.Setenv("DATABRICKS_HOST", host)
	t.Setenv("DATABRICKS_TOKEN", secret)
	t.Setenv("DATABRICKS_CLUSTER_ID", "of-the-environment")
	if err := connect("databricks://"); err != nil || header("x-databricks-cluster-id") != "of-the-environment" {
		t.Errorf("environment: error %v, headers %v", err, f.headers)
	}
}
