package databricks

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/databricks/databrickstest"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
)

const token = "dapi0123456789abcdef"

// clean takes what this machine knows of Databricks out of the environment.
func clean(t *testing.T) {
	for _, variable := range variables {
		t.Setenv(variable, "")
	}
	t.Setenv("DATABRICKS_CONFIG_PROFILE", "")
	t.Setenv("DATABRICKS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
}

// start starts a workspace.
func start(t *testing.T, o databrickstest.Options) (*databrickstest.Server, *workspace) {
	o.Token = token
	server, err := databrickstest.New(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, &workspace{host: server.URL, client: remote.HTTPClient(), who: &accessToken{secret: token}}
}

// serve starts a workspace that the environment names.
func serve(t *testing.T, o databrickstest.Options) *databrickstest.Server {
	clean(t)
	server, _ := start(t, o)
	t.Setenv("DATABRICKS_HOST", server.URL)
	t.Setenv("DATABRICKS_TOKEN", token)
	return server
}

const volumeRoot, dbfsRoot = "dbfs:/Volumes/main/default/images/some folder", "dbfs:/tmp/some folder"

func TestContract(t *testing.T) {
	for name, root := range map[string]string{"volume": volumeRoot, "dbfs": dbfsRoot} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, w := start(t, databrickstest.Options{PageEntries: 20})
			s := w.store(strings.TrimPrefix(root, "dbfs:"), remote.Policy{})
			if err := storetest.Test(t.Context(), s, t.TempDir()); err != nil {
				t.Error(err)
			}
			if uploads, files := server.Unfinished(); uploads != 0 || files != 0 {
				t.Errorf("%d uploads and %d files are left over", uploads, files)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	for name, o := range map[string]databrickstest.Options{"parts": {}, "resumable": {Resumable: true}} {
		t.Run(name, func(t *testing.T) { testFaults(t, volumeRoot, o) })
	}
	t.Run("dbfs", func(t *testing.T) { testFaults(t, dbfsRoot, databrickstest.Options{}) })
}

func testFaults(t *testing.T, root string, o databrickstest.Options) {
	t.Parallel()
	server, _ := start(t, o)
	target := storetest.Target{Server: server.URL, Secrets: []string{token, "5ca1ab1e"},
		Open: func(ctx context.Context, address string, p remote.Policy) (store.Store, error) {
			w := &workspace{host: address, client: remote.HTTPClient(), who: &accessToken{secret: token}}
			return w.store(strings.TrimPrefix(root, "dbfs:"), p), nil
		}}
	if root == dbfsRoot {
		target.PieceBytes = blockBytes
	}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
}

// TestLarge moves a file in parts, in the ways that workspaces offer.
func TestLarge(t *testing.T) {
	bytes, policy := int64(11<<20+12345), storetest.Quick
	if os.Getenv("GOMOSAIC_LONG") != "" {
		bytes, policy = 5<<30+12345, remote.Policy{}
	}
	ways := map[string]databrickstest.Options{
		"parts":                       {},
		"resumable":                   {Resumable: true},
		"addresses that expire":       {Expired: 5},
		"no direct uploads":           {NoDirectUploads: "workspace"},
		"a network that refuses them": {NoDirectUploads: "network"},
	}
	if bytes > 5<<30 { // more than one request takes
		delete(ways, "no direct uploads")
		delete(ways, "a network that refuses them")
	}
	for name, o := range ways {
		t.Run(name, func(t *testing.T) {
			server := serve(t, o)
			s, err := open(t.Context(), volumeRoot, policy)
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.Large(t.Context(), s, bytes, t.TempDir()); err != nil {
				t.Error(err)
			}
			uploads, files := server.Unfinished()
			if o.NoDirectUploads == "network" {
				uploads-- // the network does not let the upload be aborted either
			}
			if uploads != 0 || files != 0 {
				t.Errorf("%d uploads and %d files are left over", uploads, files)
			}
		})
	}
	t.Run("dbfs", func(t *testing.T) {
		serve(t, databrickstest.Options{})
		s, err := open(t.Context(), dbfsRoot, storetest.Quick)
		if err != nil {
			t.Fatal(err)
		}
		if err := storetest.Large(t.Context(), s, 7<<20+1, t.TempDir()); err != nil {
			t.Error(err)
		}
	})
}

func TestDenied(t *testing.T) {
	serve(t, databrickstest.Options{})
	t.Setenv("DATABRICKS_TOKEN", "dapi-of-somebody-else")
	for _, root := range []string{volumeRoot, dbfsRoot} {
		s, err := store.Open(t.Context(), root)
		if err != nil {
			t.Fatal(err)
		}
		if err := storetest.Denied(t.Context(), s, t.TempDir(), []string{"the token of DATABRICKS_TOKEN", "DATABRICKS_HOST"}, []string{"dapi-of-somebody-else"}); err != nil {
			t.Error(err)
		}
	}
	clean(t)
	server := serve(t, databrickstest.Options{ClientID: "us", ClientSecret: "right"})
	t.Setenv("DATABRICKS_HOST", server.URL)
	t.Setenv("DATABRICKS_TOKEN", "")
	t.Setenv("DATABRICKS_CLIENT_ID", "us")
	t.Setenv("DATABRICKS_CLIENT_SECRET", "wrong-secret")
	s, err := store.Open(t.Context(), volumeRoot)
	if err != nil {
		t.Fatal(err)
	}
	if err := storetest.Denied(t.Context(), s, t.TempDir(), []string{"service principal us of DATABRICKS_CLIENT_ID"}, []string{"wrong-secret"}); err != nil {
		t.Error(err)
	}
}

// TestCredentials: each way to say who we are leads to the workspace.
func TestCredentials(t *testing.T) {
	server := serve(t, databrickstest.Options{ClientID: "us", ClientSecret: "secret#1"})
	dir := t.TempDir()
	profiles := filepath.Join(dir, "databrickscfg")
	command := filepath.Join(dir, "databricks")
	write := func(file, text string, mode os.FileMode) {
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	write(command, `#!/bin/sh
[ "$*" = "auth token --profile login" ] && echo '{"access_token": "`+token+`", "token_type": "Bearer", "expiry": "2099-01-02T03:04:05.6Z"}'
`, 0o700)
	write(profiles, strings.NewReplacer("HOST", server.URL, "TOKEN", token, "COMMAND", command).Replace(`
[DEFAULT]
host = HOST/
token = TOKEN
[principal]
host = HOST
client_id = us
client_secret = secret#1
[login]
host = HOST
auth_type = databricks-cli
databricks_cli_path = COMMAND
[strange]
host = HOST
auth_type = azure-msi
[empty]
host = HOST
[nowhere]
token = TOKEN
[broken]
host = ftp://HOST
token = TOKEN
`), 0o600)
	for name, test := range map[string]struct {
		env  map[string]string
		want string // the error; "" for none
	}{
		"token":             {map[string]string{"DATABRICKS_HOST": server.URL, "DATABRICKS_TOKEN": token}, ""},
		"host alone":        {map[string]string{"DATABRICKS_HOST": strings.TrimPrefix(server.URL, "http://")}, "tried DATABRICKS_TOKEN"},
		"token alone":       {map[string]string{"DATABRICKS_TOKEN": token}, "DATABRICKS_HOST (not set)"},
		"principal":         {map[string]string{"DATABRICKS_HOST": server.URL, "DATABRICKS_CLIENT_ID": "us", "DATABRICKS_CLIENT_SECRET": "secret#1"}, ""},
		"default profile":   {map[string]string{"DATABRICKS_CONFIG_FILE": profiles}, ""},
		"principal profile": {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "principal"}, ""},
		"login of a user":   {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "login"}, ""},
		"unknown auth_type": {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "strange"}, "auth_type azure-msi of profile strange"},
		"no credentials":    {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "empty"}, "no credentials for the Databricks workspace"},
		"no such profile":   {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "other"}, "has no profile other"},
		"no host":           {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "nowhere"}, "profile nowhere of " + profiles + " (has no host)"},
		"no address":        {map[string]string{"DATABRICKS_CONFIG_FILE": profiles, "DATABRICKS_CONFIG_PROFILE": "broken"}, "profile broken of " + profiles + " is no address"},
		"no such file":      {map[string]string{"DATABRICKS_CONFIG_FILE": profiles + "2", "DATABRICKS_CONFIG_PROFILE": "p"}, profiles + "2"},
		"nothing at all":    {nil, "there is no folder /Volumes/main here, and no Databricks workspace is configured: tried DATABRICKS_HOST (not set)"},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			for k, v := range test.env {
				t.Setenv(k, v)
			}
			s, err := store.Open(t.Context(), volumeRoot)
			if err == nil {
				for _, err = range s.List(t.Context(), "") {
				}
			}
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want %q", err, test.want)
			}
			if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "secret#1")) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestRoots(t *testing.T) {
	serve(t, databrickstest.Options{})
	for root, want := range map[string]string{
		"dbfs:/Volumes/main/default": "want /Volumes/catalog/schema/volume",
		"/Volumes/main":              "want /Volumes/catalog/schema/volume",
		"dbfs://host/x":              "DATABRICKS_HOST",
		"dbfs:///tmp/x":              "",
		"/Volumes/main/default/v/x":  "",
	} {
		if _, err := store.Open(t.Context(), root); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: err = %v, want %q", root, err, want)
		}
	}
}
