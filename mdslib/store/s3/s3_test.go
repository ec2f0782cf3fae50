package s3

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	aws3 "github.com/aws/aws-sdk-go-v2/service/s3"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/fault"
	"gomosaic/mdslib/store/storetest/servers"
)

var address string // of the S3 server

func TestMain(m *testing.M) {
	os.Exit(func() int {
		root, err := os.MkdirTemp("", "s3-test-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(root)
		server, err := servers.S3(context.Background(), root, "contract", "faults", "data", "requests", "public")
		if err != nil {
			panic(err)
		}
		defer server.Close()
		address = server.URL
		return m.Run()
	}())
}

// isolate hides the user's own settings from a test.
func isolate(t *testing.T) (home string) {
	home = t.TempDir()
	t.Setenv("HOME", home)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "S3_") || strings.HasPrefix(name, "OCI_") || strings.HasPrefix(name, "MOSAICML_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, ".aws", "config")) // the SDK looked for the home before the test
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, ".aws", "credentials"))
	return home
}

func settings(url, endpoint string, p remote.Policy) Config {
	bucket, prefix, err := remote.SplitBucket(url)
	if err != nil {
		panic(err)
	}
	return Config{
		Root: url, Bucket: bucket, Prefix: prefix, Endpoint: endpoint, Region: "us-east-1",
		AccessKeyID: servers.S3AccessKey, SecretKey: servers.S3SecretKey, Keys: "the keys of the test", Policy: p,
	}
}

func open(t *testing.T, c Config) store.Store {
	t.Helper()
	s, err := New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	s := open(t, settings("s3://contract/a folder/100%", address, storetest.Quick))
	if err := storetest.Test(t.Context(), s, t.TempDir()); err != nil {
		t.Error(err)
	}
	p, size := storetest.Quick, 3*storetest.Quick.PartBytes+1
	if os.Getenv("GOMOSAIC_LONG") != "" {
		p, size = remote.Policy{}, 5<<30+1
	}
	if err := storetest.Large(t.Context(), open(t, settings("s3://contract", address, p)), size, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	target := storetest.Target{Server: address, Secrets: []string{servers.S3AccessKey, servers.S3SecretKey},
		Open: func(ctx context.Context, address string, p remote.Policy) (store.Store, error) {
			return New(ctx, settings("s3://faults/folder", address, p))
		}}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestMissingBucket(t *testing.T) {
	s := open(t, settings("s3://no-such-bucket/x", address, storetest.Quick))
	if err := s.Get(t.Context(), "k", filepath.Join(t.TempDir(), "k")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("Get: %v", err)
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("List: %v %v", o, err)
	}
}

// TestDenied: no use of a store with wrong credentials, or with none, tells the credentials, and each says where they were
// looked for.
func TestDenied(t *testing.T) {
	const wrong = "wrong/secret+of=somebody"
	for name, test := range map[string]struct {
		env, files map[string]string
		ways       []string
	}{
		"none": {ways: []string{
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (not set)", `the profile "default" of /`, ".aws/credentials (not there) and /", ".aws/config (not there)",
			"AWS_WEB_IDENTITY_TOKEN_FILE (not set)", "the instance's role (AWS_EC2_METADATA_DISABLED is set)",
		}},
		"expired session": {
			env:  map[string]string{"AWS_ACCESS_KEY_ID": servers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": servers.S3SecretKey, "AWS_SESSION_TOKEN": "of/yesterday"},
			ways: []string{"401 Unauthorized: InvalidToken", "credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		},
		"program": {
			files: map[string]string{".aws/config": "[default]\ncredential_process = false\n"},
			ways:  []string{".aws/config", "the instance's role (not asked, for the way that is set up failed: "},
		},
		"env": {
			env:  map[string]string{"AWS_ACCESS_KEY_ID": servers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": wrong},
			ways: []string{"SignatureDoesNotMatch", "credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"},
		},
		"profile": {
			env:   map[string]string{"AWS_PROFILE": "team"},
			files: map[string]string{".aws/credentials": "[team]\naws_access_key_id = somebody\naws_secret_access_key = " + wrong + "\n"},
			ways:  []string{".aws/credentials"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			home := isolate(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			t.Setenv("S3_ENDPOINT_URL", address)
			write(t, home, test.files)
			s, err := store.Open(t.Context(), "s3://data/folder")
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.Denied(t.Context(), s, t.TempDir(), test.ways, []string{wrong, servers.S3AccessKey, "somebody", "of/yesterday"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPublic: without credentials a public bucket can be read, and not written to.
func TestPublic(t *testing.T) {
	isolate(t)
	owner, err := New(t.Context(), settings("s3://public/folder", address, storetest.Quick))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), owner.Put(t.Context(), file, "k")); err != nil {
		t.Fatal(err)
	}
	keys := static.NewStaticCredentialsProvider(servers.S3AccessKey, servers.S3SecretKey, "")
	client := aws3.New(aws3.Options{BaseEndpoint: &address, UsePathStyle: true, Region: "us-east-1", Credentials: keys})
	_, err = client.PutBucketPolicy(t.Context(), &aws3.PutBucketPolicyInput{Bucket: aws.String("public"), Policy: aws.String(`{"Version": "2012-10-17", "Statement": [
		{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::public", "arn:aws:s3:::public/*"]}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("S3_ENDPOINT_URL", address)
	s, err := store.Open(t.Context(), "s3://public/folder")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Get(t.Context(), "k", file); err != nil {
		t.Error(err)
	}
	for o, err := range s.List(t.Context(), "") {
		if err != nil || o.Key != "k" {
			t.Errorf("List: %v, %v", o, err)
		}
	}
	if err := s.Put(t.Context(), file, "k"); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the request was not signed") {
		t.Errorf("Put: %v", err)
	}
}

// TestErrorWithin: S3 says 200 before it has made an object of its parts, and what went wrong then in the body.
func TestErrorWithin(t *testing.T) {
	isolate(t)
	proxy, err := fault.New(address)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	s := open(t, settings("s3://requests/within", proxy.URL, storetest.Quick))
	complete := func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") }
	proxy.Inject(fault.Fault{Match: complete, Status: 200, Body: "<Error><Code>InternalError</Code><Message>Try again.</Message></Error>"})
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, storetest.Quick.PartBytes+1), s.Put(t.Context(), file, "k"), s.Delete(t.Context(), "k")); err != nil {
		t.Error(err)
	}
	if _, met := proxy.Requests(); !met {
		t.Error("the upload was not completed")
	}
}

func write(t *testing.T, home string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(home, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFound: credentials, region and endpoint are found where AWS's tools find them.
func TestFound(t *testing.T) {
	profile := "aws_access_key_id = " + servers.S3AccessKey + "\naws_secret_access_key = " + servers.S3SecretKey + "\n"
	keys := map[string]string{"AWS_ACCESS_KEY_ID": servers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": servers.S3SecretKey}
	with := func(more ...string) map[string]string {
		all := map[string]string{}
		for k, v := range keys {
			all[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	for name, test := range map[string]struct {
		url        string
		env, files map[string]string
	}{
		"environment":           {env: with("S3_ENDPOINT_URL", address)},
		"AWS_ENDPOINT_URL":      {env: with("AWS_ENDPOINT_URL", address)},
		"AWS_ENDPOINT_URL_S3":   {env: with("AWS_ENDPOINT_URL_S3", address, "AWS_ENDPOINT_URL", "http://127.0.0.1:1")},
		"S3_ENDPOINT_URL first": {env: with("S3_ENDPOINT_URL", address, "AWS_ENDPOINT_URL", "http://127.0.0.1:1")},
		"default profile":       {env: map[string]string{"S3_ENDPOINT_URL": address}, files: map[string]string{".aws/credentials": "[default]\n" + profile}},
		"named profile": {env: map[string]string{"AWS_PROFILE": "team"}, files: map[string]string{
			".aws/config": "[profile team]\nregion = us-east-1\nendpoint_url = " + address + "\n" + profile}},
		"canned ACL and payer": {env: with("S3_ENDPOINT_URL", address, "S3_CANNED_ACL", "private", "MOSAICML_STREAMING_AWS_REQUESTER_PAYS", "other,data")},
		"oci environment": {url: "oci://data@namespace/folder", env: map[string]string{"OCI_ENDPOINT_URL": address, "OCI_REGION": "us-east-1",
			"OCI_ACCESS_KEY_ID": servers.S3AccessKey, "OCI_SECRET_ACCESS_KEY": servers.S3SecretKey}},
		"oci profile": {url: "oci://data/folder", env: map[string]string{"OCI_ENDPOINT_URL": address}, files: map[string]string{
			".oci/config": "[DEFAULT]\nregion=us-east-1\naccess_key_id=" + servers.S3AccessKey + "\nsecret_access_key = " + servers.S3SecretKey + "\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			home := isolate(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			write(t, home, test.files)
			s, err := store.Open(t.Context(), cmp.Or(test.url, "s3://data/folder"))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(home, "file")
			if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file), s.Delete(t.Context(), "k")); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	home := isolate(t)
	write(t, home, map[string]string{".oci/config": "# keys\n[OTHER]\nregion=nowhere\n[DEFAULT]\nregion = eu-frankfurt-1\nnamespace=abc\n"})
	for url, want := range map[string]Config{
		"s3://b":           {Bucket: "b"},
		"s3://b/":          {Bucket: "b"},
		"s3://b/x/y z%20/": {Bucket: "b", Prefix: "x/y z%20/"},
		"oci://b/x":        {Bucket: "b", Prefix: "x/", Region: "eu-frankfurt-1", Endpoint: "https://abc.compat.objectstorage.eu-frankfurt-1.oraclecloud.com"},
		"oci://b@ns/x":     {Bucket: "b", Prefix: "x/", Region: "eu-frankfurt-1", Endpoint: "https://ns.compat.objectstorage.eu-frankfurt-1.oraclecloud.com"},
		"s3://":            {},
		"s3:///x":          {},
	} {
		parser := parse
		if strings.HasPrefix(url, "oci") {
			parser = parseOCI
		}
		got, err := parser(url, func(string) string { return "" })
		if (err != nil) != (want.Bucket == "") {
			t.Errorf("%s: %v", url, err)
		}
		got = Config{Bucket: got.Bucket, Prefix: got.Prefix, Region: got.Region, Endpoint: got.Endpoint}
		if err == nil && got != want {
			t.Errorf("%s: %+v, want %+v", url, got, want)
		}
	}
	if c, _ := parse("s3://mine", func(string) string { return "a,mine" }); !c.RequesterPays {
		t.Error("the bucket is in the list of MOSAICML_STREAMING_AWS_REQUESTER_PAYS")
	}
}

// TestRequests: what requests say besides bucket and key.
func TestRequests(t *testing.T) {
	isolate(t)
	proxy, err := fault.New(address)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	seen := map[string][]string{}
	watch := func(r *http.Request) bool {
		for _, name := range []string{"X-Amz-Request-Payer", "X-Amz-Acl", "Authorization"} {
			seen[name] = append(seen[name], r.Header.Get(name))
		}
		return false
	}
	c := settings("s3://requests/folder", proxy.URL, storetest.Quick)
	c.RequesterPays, c.ACL, c.SignsLess = true, "bucket-owner-full-control", true
	s := open(t, c)
	proxy.Inject(fault.Fault{Match: watch, Always: true})
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file), s.Delete(t.Context(), "k")); err != nil {
		t.Error(err)
	}
	if got := strings.Join(seen["X-Amz-Request-Payer"], " "); got != "requester requester requester" {
		t.Errorf("x-amz-request-payer: %q", got)
	}
	if seen["X-Amz-Acl"][0] != c.ACL {
		t.Errorf("x-amz-acl: %q", seen["X-Amz-Acl"])
	}
	for _, a := range seen["Authorization"] {
		if strings.Contains(a, "accept-encoding") || !strings.Contains(a, "SignedHeaders=") {
			t.Errorf("Accept-Encoding is signed, which Google's servers do not bear: %s", a[strings.Index(a, "SignedHeaders"):])
		}
	}

	// A bucket of another region says where it is; the request is made again there, and later ones at once.
	proxy.Inject(fault.Fault{Match: func(r *http.Request) bool { return !strings.Contains(r.Header.Get("Authorization"), "/eu-south-9/") }, Always: true,
		Status: 301, Header: http.Header{"X-Amz-Bucket-Region": {"eu-south-9"}}})
	s.Get(t.Context(), "k", file)
	s.Get(t.Context(), "k", file)
	if n, _ := proxy.Requests(); n != 3 {
		t.Errorf("%d requests, want one to the wrong region and two to the right one", n)
	}

	// Tokens that have expired do not stand in the way of a public bucket.
	signed := func(r *http.Request) bool { return r.Header.Get("Authorization") != "" }
	proxy.Inject(fault.Fault{Match: signed, Always: true, Status: 400, Body: "<Error><Code>ExpiredToken</Code></Error>"})
	if err := s.Get(t.Context(), "k", file); !strings.Contains(err.Error(), "ExpiredToken") {
		t.Errorf("Get: %v", err)
	}
	if n, _ := proxy.Requests(); n != 2 {
		t.Errorf("%d requests, want one that is signed and one that is not", n)
	}
}
