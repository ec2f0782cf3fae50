package storetest_test

// Data sets at remotes: written, merged, streamed and refused through each driver.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib"
	_ "gomosaic/mdslib/local"
	"gomosaic/mdslib/mdscmd"
	"gomosaic/mdslib/store"
	_ "gomosaic/mdslib/store/azure"
	_ "gomosaic/mdslib/store/databricks"
	"gomosaic/mdslib/store/databricks/databrickstest"
	_ "gomosaic/mdslib/store/gs"
	_ "gomosaic/mdslib/store/s3"
	_ "gomosaic/mdslib/store/sftp"
	"gomosaic/mdslib/store/storetest/servers"
	_ "gomosaic/mdslib/store/web"
	"gomosaic/streamlib"
)

// remote is a store as a user reaches it: by a URL and environment variables.
type remote struct {
	url    string
	env    map[string]string
	wrong  map[string]string // credentials that the server does not take
	secret []string          // what no message may show
}

// remotes starts a server for each driver.
func remotes(t *testing.T) map[string]remote {
	t.Helper()
	s3, err := servers.S3(t.Context(), t.TempDir(), "data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s3.Close)
	gcs, err := servers.GCS(t.Context(), "data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gcs.Close)
	azure, err := servers.Azure(t.Context(), "", "data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(azure.Close)
	const token, stranger = "dapi0123456789abcdef", "dapi-of-somebody-else"
	workspace, err := databrickstest.New(t.TempDir(), databrickstest.Options{Token: token})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(workspace.Close)
	databricks := map[string]string{"DATABRICKS_HOST": workspace.URL, "DATABRICKS_TOKEN": token, "DATABRICKS_CONFIG_PROFILE": ""}
	ssh, err := servers.SSH(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ssh.Close)
	unknown := filepath.Join(t.TempDir(), "key")
	if _, err := servers.NewSSHKey(unknown); err != nil {
		t.Fatal(err)
	}
	const wrong = "d3Jvbmcvc2VjcmV0K2tleStvZitzb21lYm9keQ=="
	s3keys := map[string]string{"S3_ENDPOINT_URL": s3.URL, "AWS_ACCESS_KEY_ID": servers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": servers.S3SecretKey}
	return map[string]remote{
		"s3": {"s3://data/a folder/set", s3keys, map[string]string{"AWS_SECRET_ACCESS_KEY": wrong}, []string{wrong, servers.S3AccessKey}},
		"oci": {"oci://data@namespace/oracle/set", map[string]string{
			"OCI_ENDPOINT_URL": s3.URL, "OCI_REGION": "us-east-1", "OCI_ACCESS_KEY_ID": servers.S3AccessKey, "OCI_SECRET_ACCESS_KEY": servers.S3SecretKey,
		}, map[string]string{"OCI_SECRET_ACCESS_KEY": wrong}, []string{wrong, servers.S3AccessKey}},
		"gs": {"gs://data/a folder/set", map[string]string{"STORAGE_EMULATOR_HOST": gcs.URL}, nil, nil},
		"azure": {"azure://account.blob.core.windows.net/data/a folder/set", map[string]string{"AZURE_STORAGE_CONNECTION_STRING": servers.AzureConnection(azure.URL)},
			map[string]string{"AZURE_STORAGE_CONNECTION_STRING": strings.Replace(servers.AzureConnection(azure.URL), servers.AzureKey, wrong, 1)}, []string{wrong}},
		"volume":       {"dbfs:/Volumes/main/default/images/a folder/set", databricks, map[string]string{"DATABRICKS_TOKEN": stranger}, []string{token, stranger}},
		"plain volume": {"/Volumes/main/default/images/plain/set", databricks, map[string]string{"DATABRICKS_TOKEN": stranger}, []string{token, stranger}},
		"dbfs":         {"dbfs:/a folder/set", databricks, map[string]string{"DATABRICKS_TOKEN": stranger}, []string{token, stranger}},
		"sftp": {"sftp://" + ssh.User + "@" + ssh.Address + ssh.Dir + "/a folder/set", map[string]string{
			"HOME": t.TempDir(), "SSH_AUTH_SOCK": "", "COMPOSER_SFTP_KEY_FILE": ssh.Key, "COMPOSER_SFTP_KNOWN_HOSTS_FILE": ssh.KnownHosts,
		}, map[string]string{"COMPOSER_SFTP_KEY_FILE": unknown}, nil},
		"azure-dl": {"azure-dl://data/lake/set", map[string]string{"AZURE_STORAGE_CONNECTION_STRING": servers.AzureConnection(azure.URL)}, nil, nil},
	}
}

func TestDatasets(t *testing.T) {
	all := remotes(t)
	for name, r := range all {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			for key, value := range r.env {
				t.Setenv(key, value)
			}
			convert(t, r.url+"/converted")
			write(t, r.url+"/written")
			tables(t, r.url+"/tables")
			for key, value := range r.wrong {
				t.Setenv(key, value)
			}
			if r.wrong != nil {
				refused(t, r)
			}
		})
	}
}

const files = 60

func content(i int) string { return strings.Repeat(fmt.Sprintf("file %d ", i), 200+i) }

// convert converts a DataFrame to a local folder and a remote, whose index is merged, and streams the remote.
func convert(t *testing.T, url string) {
	t.Helper()
	ctx, source := t.Context(), t.TempDir()
	for i := range files {
		if err := os.WriteFile(filepath.Join(source, fmt.Sprintf("%03d.bin", i)), []byte(content(i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spark, err := mdslib.Connect(ctx, "local[2]")
	if err != nil {
		t.Fatal(err)
	}
	frame := spark.Read().Format("binaryFile").Load(source).Select("content AS data", "CAST(substring(element_at(split(path, '/'), -1), 1, 3) AS BIGINT) AS id")
	opts := mdslib.MDSOptions{
		Out: filepath.Join(t.TempDir(), "local"), Remote: url, Columns: mdslib.Columns{"data": "bytes", "id": "int64"},
		Compression: "zstd", Hashes: []string{"sha1"}, SizeLimit: "20kb",
	}
	report, err := mdslib.DataFrameToMDS(ctx, frame, opts)
	if err != nil {
		t.Fatal(err)
	}
	if report.Samples != files {
		t.Errorf("the report counts %d samples", report.Samples)
	}
	stream(t, url)
	if _, err := mdslib.DataFrameToMDS(ctx, frame, opts); !errors.Is(err, fs.ErrExist) {
		t.Errorf("converted again to the same place: %v, want fs.ErrExist", err)
	}
	opts.ExistOK = true
	if _, err := mdslib.DataFrameToMDS(ctx, frame, opts); err != nil {
		t.Errorf("converted again with ExistOK: %v", err)
	}
	stream(t, url)
	var out, messages strings.Builder
	if status := mdscmd.Run(ctx, []string{"verify", url}, &out, &messages); status != 0 {
		t.Errorf("gomosaic mds verify: %d, %s%s", status, out.String(), messages.String())
	}
}

// stream reads all samples of the data set at url.
func stream(t *testing.T, url string) {
	t.Helper()
	dataset, err := streamlib.NewStreamingDataset(t.Context(), streamlib.DatasetOptions{Remote: url, Local: t.TempDir(), Shuffle: true, BatchSize: 7, ValidateHash: "sha1"})
	if err != nil {
		t.Fatal(err)
	}
	defer dataset.Close()
	seen := map[int64]bool{}
	for batch, err := range streamlib.NewStreamingDataLoader(dataset, streamlib.LoaderOptions{BatchSize: 7}).Batches(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids := batch.Columns["id"].Data.([]int64)
		for i, data := range batch.Values["data"] {
			if string(data.([]byte)) != content(int(ids[i])) {
				t.Fatalf("sample %d is another one", ids[i])
			}
			seen[ids[i]] = true
		}
	}
	if len(seen) != files {
		t.Errorf("%d samples came", len(seen))
	}
}

// write writes two partitions to the remote alone, and merges their indexes there.
func write(t *testing.T, url string) {
	t.Helper()
	for part := range 2 {
		w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: fmt.Sprintf("%s/%d", url, part), Columns: mdslib.Columns{"data": "bytes", "id": "int64"}, Hashes: []string{"sha1"}, SizeLimit: "20kb"})
		if err != nil {
			t.Fatal(err)
		}
		for i := part; i < files && err == nil; i += 2 {
			err = w.Write(mdslib.Sample{"data": []byte(content(i)), "id": int64(i)})
		}
		if err = errors.Join(err, w.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if err := mdslib.MergeIndex(t.Context(), url, mdslib.MergeOptions{}); err != nil {
		t.Fatal(err)
	}
	stream(t, url)
}

// refused checks that whoever uses a remote with wrong credentials is told so, and is not shown them.
func refused(t *testing.T, r remote) {
	t.Helper()
	ctx, url := t.Context(), r.url+"/converted"
	_, streamed := streamlib.NewStreamingDataset(ctx, streamlib.DatasetOptions{Remote: url, Local: t.TempDir(), DownloadRetry: 1})
	_, written := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: url, Columns: mdslib.Columns{"id": "int64"}})
	merged := mdslib.MergeIndex(ctx, url, mdslib.MergeOptions{})
	var out, messages strings.Builder
	if status := mdscmd.Run(ctx, []string{"inspect", url}, &out, &messages); status == 0 {
		t.Error("gomosaic mds inspect: exit status 0")
	}
	texts := []string{out.String() + messages.String()}
	for _, err := range []error{streamed, written, merged} {
		if !errors.Is(err, fs.ErrPermission) {
			t.Errorf("got error %v, want fs.ErrPermission", err)
			continue
		}
		texts = append(texts, err.Error(), fmt.Sprintf("%+v %#v", err, err))
	}
	for _, text := range texts {
		if !strings.Contains(text, "credentials") {
			t.Errorf("the message does not speak of credentials: %s", text)
		}
		for _, s := range r.secret {
			if strings.Contains(text, s) {
				t.Errorf("the message shows %q: %s", s, text)
			}
		}
	}
}

// TestReadOnly: nothing is begun that could not be stored.
func TestReadOnly(t *testing.T) {
	_, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: "https://me:hush@127.0.0.1:1/set", Columns: mdslib.Columns{"id": "int64"}})
	if !errors.Is(err, errors.ErrUnsupported) || strings.Contains(err.Error(), "hush") {
		t.Errorf("got error %v, want errors.ErrUnsupported", err)
	}
}

// TestAborted: a writer that is given up half-way leaves nothing at the remote.
func TestAborted(t *testing.T) {
	server, err := servers.S3(t.Context(), t.TempDir(), "data")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for key, value := range map[string]string{"S3_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": servers.S3AccessKey, "AWS_SECRET_ACCESS_KEY": servers.S3SecretKey} {
		t.Setenv(key, value)
	}
	w, err := mdslib.NewMDSWriter(mdslib.MDSOptions{Out: "s3://data/set", Columns: mdslib.Columns{"data": "bytes"}, SizeLimit: "20kb"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		if err := w.Write(mdslib.Sample{"data": []byte(content(i))}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	s, err := store.Open(t.Context(), "s3://data/set")
	if err != nil {
		t.Fatal(err)
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("left behind: %v, %v", o, err)
	}
}
