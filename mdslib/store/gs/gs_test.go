package gs

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/s3"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/fault"
	"gomosaic/mdslib/store/storetest/servers"
)

var address string // of the emulator

func TestMain(m *testing.M) {
	os.Exit(func() int {
		server, err := servers.GCS(context.Background(), "contract", "faults", "data")
		if err != nil {
			panic(err)
		}
		defer server.Close()
		address = server.URL
		return m.Run()
	}())
}

func config(bucket, prefix, endpoint string, p remote.Policy) Config {
	return Config{Root: "gs://" + bucket + "/" + prefix, Bucket: bucket, Prefix: prefix, Endpoint: endpoint, Anonymous: true, Policy: p}
}

func TestContract(t *testing.T) {
	t.Parallel()
	if err := storetest.Test(t.Context(), New(config("contract", "a folder/100%/", address, storetest.Quick)), t.TempDir()); err != nil {
		t.Error(err)
	}
	p, size := storetest.Quick, 3*storetest.Quick.PartBytes+1
	if os.Getenv("GOMOSAIC_LONG") != "" { // the emulator keeps objects in memory, and reads all of one again with each part
		p, size = remote.Policy{PartBytes: 64 << 20}, 1<<30+1
	}
	if err := storetest.Large(t.Context(), New(config("contract", "", address, p)), size, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	target := storetest.Target{Server: address, Open: func(_ context.Context, address string, p remote.Policy) (store.Store, error) {
		return New(config("faults", "folder/", address, p)), nil
	}}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestMissingBucket(t *testing.T) {
	s := New(config("no-such-bucket", "", address, storetest.Quick))
	if err := s.Get(t.Context(), "k", filepath.Join(t.TempDir(), "k")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get: %v", err)
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("List: %v %v", o, err)
	}
}

// isolate hides the user's own settings from a test.
func isolate(t *testing.T) (home string) {
	home = t.TempDir()
	t.Setenv("HOME", home)
	for _, name := range []string{"GCS_KEY", "GCS_SECRET", "GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_CLOUD_QUOTA_PROJECT", "STORAGE_EMULATOR_HOST"} {
		t.Setenv(name, "")
	}
	t.Setenv("GCE_METADATA_HOST", "127.0.0.1:1")
	return home
}

// secrets that no error may show.
var secrets = []string{"token-of-the-test", "PRIVATE KEY"}

// TestCredentials: a service account's key and the metadata server each lead to the token that the bucket
// wants.
func TestCredentials(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		serviceAccount := r.Form.Get("assertion") != ""
		metadata := strings.HasPrefix(r.URL.Path, "/computeMetadata/v1/instance/service-accounts/default/token") && r.Header.Get("Metadata-Flavor") == "Google"
		w.Header().Set("Metadata-Flavor", "Google")
		w.Header().Set("Content-Type", "application/json")
		if serviceAccount || metadata {
			w.Write([]byte(`{"access_token":"token-of-the-test","expires_in":3600,"token_type":"Bearer"}`))
		}
	}))
	defer tokens.Close()
	proxy, err := fault.New(address)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	var projects []string
	proxy.Inject(fault.Fault{Always: true, Status: http.StatusUnauthorized, Match: func(r *http.Request) bool {
		projects = append(projects, r.Header.Get("X-Goog-User-Project"))
		return r.Header.Get("Authorization") != "Bearer token-of-the-test"
	}})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	serviceAccount := map[string]string{
		"type": "service_account", "client_email": "me@project.iam.gserviceaccount.com", "token_uri": tokens.URL + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "quota_project_id": "payer",
	}
	for name, test := range map[string]struct {
		file     map[string]string
		at       string // below the home
		variable bool
		metadata bool
		ways     []string // in the error, where there is one
	}{
		"GOOGLE_APPLICATION_CREDENTIALS": {file: serviceAccount, at: "key.json", variable: true},
		"gcloud's file":                  {file: serviceAccount, at: ".config/gcloud/application_default_credentials.json"},
		"metadata server":                {metadata: true},
		"none": {ways: []string{"tried GCS_KEY and GCS_SECRET (not set)", "GOOGLE_APPLICATION_CREDENTIALS (not set)",
			"application_default_credentials.json (not there)", "the metadata server ("}},
		"no such file": {variable: true, at: "none.json", ways: []string{"GOOGLE_APPLICATION_CREDENTIALS", "none.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			home := isolate(t)
			if test.file != nil {
				text, _ := json.Marshal(test.file)
				path := filepath.Join(home, test.at)
				if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, text, 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			if test.variable {
				t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(home, test.at))
			}
			if test.metadata {
				t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(tokens.URL, "http://"))
			}
			c := config("data", "", proxy.URL, storetest.Quick)
			c.Anonymous = false
			s := New(c)
			if test.ways != nil {
				if err := storetest.Denied(t.Context(), s, t.TempDir(), test.ways, secrets); err != nil {
					t.Error(err)
				}
				return
			}
			file := filepath.Join(home, "file")
			if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file), s.Delete(t.Context(), "k")); err != nil {
				t.Error(err)
			}
			if project := projects[len(projects)-1]; project != test.file["quota_project_id"] {
				t.Errorf("billed to %q", project)
			}
		})
	}
}

// TestPublic: without credentials the requests have no token, which public buckets accept.
func TestPublic(t *testing.T) {
	isolate(t)
	proxy, err := fault.New(address)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	proxy.Inject(fault.Fault{Always: true, Status: http.StatusUnauthorized, Match: func(r *http.Request) bool {
		return r.Header.Get("Authorization") != "" || r.Method != http.MethodGet
	}})
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), New(config("data", "", address, storetest.Quick)).Put(t.Context(), file, "public")); err != nil {
		t.Fatal(err)
	}
	c := config("data", "", proxy.URL, storetest.Quick)
	c.Anonymous = false
	s := New(c)
	if err := s.Get(t.Context(), "public", file); err != nil {
		t.Error(err)
	}
	if err := s.Put(t.Context(), file, "public"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the request had no token") {
		t.Errorf("Put: %v", err)
	}
}

// TestTokenRefused: credentials that give no token any more.
func TestTokenRefused(t *testing.T) {
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		w.Write([]byte(`{"error":"invalid_grant","error_description":"token-of-the-test is no good"}`))
	}))
	defer tokens.Close()
	home := isolate(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKCS8PrivateKey(key)
	text, _ := json.Marshal(map[string]string{"type": "service_account", "client_email": "me@project", "token_uri": tokens.URL, "private_key_id": "token-of-the-test",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))})
	path := filepath.Join(home, "key.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	c := config("data", "", address, storetest.Quick)
	c.Anonymous = false
	if err := storetest.Denied(t.Context(), New(c), t.TempDir(), []string{"invalid_grant", "no token for these credentials", "me@project of " + path}, secrets); err != nil {
		t.Error(err)
	}
}

// TestHMAC: with GCS_KEY and GCS_SECRET the bucket is reached by S3's protocol, as an S3 server shows; Google's own takes no
// signature of Accept-Encoding, which is tested with the s3 driver.
func TestHMAC(t *testing.T) {
	server, err := servers.S3(t.Context(), t.TempDir(), "data")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	isolate(t)
	c := hmac("gs://data/x", "data", "x/", server.URL, servers.S3AccessKey, servers.S3SecretKey)
	c.Region, c.Policy = "us-east-1", storetest.Quick // the server's, where Google takes any
	s, err := s3.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file)); err != nil {
		t.Error(err)
	}
	c.SecretKey = "wrong-secret"
	if s, err = s3.New(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := storetest.Denied(t.Context(), s, t.TempDir(), []string{"credentials: GCS_KEY and GCS_SECRET"}, []string{"wrong-secret", servers.S3AccessKey}); err != nil {
		t.Error(err)
	}
	t.Setenv("GCS_KEY", servers.S3AccessKey)
	t.Setenv("GCS_SECRET", servers.S3SecretKey)
	t.Setenv("STORAGE_EMULATOR_HOST", server.URL)
	if s, err = store.Open(t.Context(), "gs://data/x"); err != nil {
		t.Fatal(err)
	}
	if err := s.Get(t.Context(), "k", file); err == nil || !strings.Contains(err.Error(), `"auto"`) {
		t.Errorf("Get by the URL: %v, want that this server knows no region auto", err)
	}
}

func TestOpen(t *testing.T) {
	isolate(t)
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(address, "http://"))
	s, err := store.Open(t.Context(), "gs://data/some folder")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file)); err != nil {
		t.Error(err)
	}
	if _, err := store.Open(t.Context(), "gs:///x"); err == nil {
		t.Error("a URL without a bucket: no error")
	}
}
