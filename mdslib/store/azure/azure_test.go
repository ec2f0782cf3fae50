package azure

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/sas"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/servers"
)

var address string // of Azurite

func TestMain(m *testing.M) {
	os.Exit(func() int {
		root := "" // in memory
		if os.Getenv("GOMOSAIC_LONG") != "" {
			var err error
			if root, err = os.MkdirTemp("", "azure-test-"); err != nil {
				panic(err)
			}
			defer os.RemoveAll(root)
		}
		server, err := servers.Azure(context.Background(), root, "contract", "faults", "data")
		if err != nil {
			panic(err)
		}
		defer server.Close()
		address = server.URL
		return m.Run()
	}())
}

func config(box, prefix, address string, p remote.Policy) Config {
	return Config{
		Root: "azure://" + servers.AzureAccount + "/" + box + "/" + prefix, Container: box, Prefix: prefix, Policy: p,
		Account: servers.AzureAccount, Key: servers.AzureKey, Endpoint: address + "/" + servers.AzureAccount,
	}
}

func open(t *testing.T, c Config) store.Store {
	t.Helper()
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	p := storetest.Quick
	if err := storetest.Test(t.Context(), open(t, config("contract", "a folder/100%/", address, p)), t.TempDir()); err != nil {
		t.Error(err)
	}
	size := 3*p.PartBytes + 1
	if os.Getenv("GOMOSAIC_LONG") != "" {
		p, size = remote.Policy{}, 5<<30+1
	}
	if err := storetest.Large(t.Context(), open(t, config("contract", "", address, p)), size, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	target := storetest.Target{Server: address, Secrets: []string{servers.AzureKey}, Open: func(_ context.Context, address string, p remote.Policy) (store.Store, error) {
		return New(config("faults", "folder/", address, p))
	}}
	if err := storetest.Faults(t.Context(), target, t.TempDir()); err != nil {
		t.Error(err)
	}
}

func TestMissingContainer(t *testing.T) {
	s := open(t, config("no-such-container", "", address, storetest.Quick))
	if err := s.Get(t.Context(), "k", filepath.Join(t.TempDir(), "k")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "ContainerNotFound") {
		t.Errorf("Get: %v", err)
	}
	for o, err := range s.List(t.Context(), "") {
		t.Errorf("List: %v %v", o, err)
	}
	file := filepath.Join(t.TempDir(), "large")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, storetest.Quick.PartBytes+1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), file, "k"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "ContainerNotFound") || strings.Contains(err.Error(), "upload any more") {
		t.Errorf("Put in parts: %v", err)
	}
}

// isolate hides the user's own settings from a test.
func isolate(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("PATH", "") // the Azure CLI
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AZURE_") || strings.HasPrefix(name, "IDENTITY_") || strings.HasPrefix(name, "MSI_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential") // of the chain: the others ask the network
}

// accessSignature is a shared access signature for the container "data".
func accessSignature(t *testing.T) string {
	t.Helper()
	c, err := container.NewClientFromConnectionString(servers.AzureConnection(address), "data", nil)
	if err != nil {
		t.Fatal(err)
	}
	all := sas.ContainerPermissions{Read: true, Write: true, Delete: true, List: true, Create: true, Add: true}
	url, err := c.GetSASURL(all, time.Now().Add(time.Hour), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, query, _ := strings.Cut(url, "?")
	return query
}

// TestFound: the account, its key and its endpoint are found where the URL and the environment say.
func TestFound(t *testing.T) {
	local := strings.TrimPrefix(address, "http://") + "/" + servers.AzureAccount
	for name, test := range map[string]struct {
		url string
		env map[string]string
	}{
		"azure, connection string":    {"azure://data.blob.core.windows.net/data/x", map[string]string{"AZURE_STORAGE_CONNECTION_STRING": servers.AzureConnection(address)}},
		"azure-dl, connection string": {"azure-dl://data/x", map[string]string{"AZURE_STORAGE_CONNECTION_STRING": servers.AzureConnection(address)}},
		"key":                         {"azure://" + local + "/data/x", map[string]string{"AZURE_ACCOUNT_ACCESS_KEY": servers.AzureKey}},
		"shared access signature":     {"azure://" + local + "/data/x", map[string]string{"AZURE_STORAGE_SAS_TOKEN": "?" + accessSignature(t)}},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			s, err := store.Open(t.Context(), test.url)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "file")
			if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file), s.Delete(t.Context(), "k")); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestDenied: no use of a store with wrong credentials, or with none, tells the credentials, and each says where they were
// looked for.
func TestDenied(t *testing.T) {
	const wrong = "d3Jvbmcvc2VjcmV0K2tleStvZitzb21lYm9keQ=="
	bad := strings.Replace(accessSignature(t), "sig=", "sig=bm90K3RoZStzaWduYXR1cmU", 1)
	for name, test := range map[string]struct {
		env  map[string]string
		ways []string
	}{
		"none":              {nil, []string{"AZURE_STORAGE_CONNECTION_STRING, AZURE_ACCOUNT_ACCESS_KEY and AZURE_STORAGE_SAS_TOKEN (not set)", "EnvironmentCredential: "}},
		"key":               {map[string]string{"AZURE_ACCOUNT_ACCESS_KEY": wrong}, []string{"AZURE_ACCOUNT_ACCESS_KEY of the account " + servers.AzureAccount}},
		"connection string": {map[string]string{"AZURE_STORAGE_CONNECTION_STRING": strings.Replace(servers.AzureConnection(address), servers.AzureKey, wrong, 1)}, []string{"AZURE_STORAGE_CONNECTION_STRING"}},
		"signature":         {map[string]string{"AZURE_STORAGE_SAS_TOKEN": bad}, []string{"AZURE_STORAGE_SAS_TOKEN"}},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			for key, value := range test.env {
				t.Setenv(key, value)
			}
			s, err := store.Open(t.Context(), "azure://"+strings.TrimPrefix(address, "http://")+"/"+servers.AzureAccount+"/data/x")
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.Denied(t.Context(), s, t.TempDir(), test.ways, []string{wrong, "bm90K3RoZStzaWduYXR1cmU"}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestPublic: without credentials a public container can be read, and not written to.
func TestPublic(t *testing.T) {
	isolate(t)
	name := fmt.Sprintf("public%d", time.Now().UnixNano())
	c, err := container.NewClientFromConnectionString(servers.AzureConnection(address), name, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(t.Context(), &container.CreateOptions{Access: to.Ptr(container.PublicAccessTypeContainer)}); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), open(t, config(name, "", address, storetest.Quick)).Put(t.Context(), file, "k")); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), "azure://"+strings.TrimPrefix(address, "http://")+"/"+servers.AzureAccount+"/"+name)
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
	if err := s.Put(t.Context(), file, "k"); !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Put: %v", err)
	}
}

func TestParse(t *testing.T) {
	for url, want := range map[string]Config{
		"azure://mine.blob.core.windows.net/box/a/b":     {Account: "mine", Container: "box", Prefix: "a/b/", Endpoint: "https://mine.blob.core.windows.net"},
		"azure://mine.blob.core.chinacloudapi.cn/box":    {Account: "mine", Container: "box", Endpoint: "https://mine.blob.core.chinacloudapi.cn"},
		"azure://whatever/box/a":                         {Account: "team", Container: "box", Prefix: "a/", Endpoint: "https://team.blob.core.windows.net"},
		"azure-dl://box/a b/c%20":                        {Account: "team", Container: "box", Prefix: "a b/c%20/", Endpoint: "https://team.blob.core.windows.net"},
		"azure-dl://box@lake.dfs.core.windows.net/a":     {Account: "lake", Container: "box", Prefix: "a/", Endpoint: "https://lake.blob.core.windows.net"},
		"azure://127.0.0.1:10000/devstoreaccount1/box/a": {Account: "devstoreaccount1", Container: "box", Prefix: "a/", Endpoint: "http://127.0.0.1:10000/devstoreaccount1"},
		"azure://mine.blob.core.windows.net/":            {},
		"azure-dl:///a":                                  {},
	} {
		got, err := parse(url, func(name string) string { return map[string]string{"AZURE_ACCOUNT_NAME": "team"}[name] })
		if (err != nil) != (want.Container == "") {
			t.Errorf("%s: %v", url, err)
		}
		got.Root = ""
		if err == nil && got != want {
			t.Errorf("%s: %+v, want %+v", url, got, want)
		}
	}
	if _, err := parse("azure-dl://box/a", func(string) string { return "" }); err == nil || !strings.Contains(err.Error(), "AZURE_ACCOUNT_NAME") {
		t.Errorf("no account: %v", err)
	}
	if _, err := parse("azure://mine.blob.core.windows.net/box/a?sv=2024&sig=hush", func(string) string { return "" }); err == nil ||
		!strings.Contains(err.Error(), "AZURE_STORAGE_SAS_TOKEN") || strings.Contains(err.Error(), "hush") {
		t.Errorf("a signature in the URL: %v", err)
	}
	c, err := parse("azure-dl://box/a", func(name string) string {
		return map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "UseDevelopmentStorage=true"}[name]
	})
	if err != nil || !strings.Contains(c.ConnectionString, "http://127.0.0.1:10000/devstoreaccount1") {
		t.Errorf("UseDevelopmentStorage=true: %+v, %v", c, err)
	}
}
