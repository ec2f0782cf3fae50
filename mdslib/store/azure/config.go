package azure

// What a store is opened with, and where that comes from.

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// Config says which container is opened and how it is reached. Of the credentials the first that are given are used:
// ConnectionString, Key, SAS, and else those that [azidentity.DefaultAzureCredential] finds.
type Config struct {
	Root      string // the URL, for errors
	Container string
	Prefix    string // "" or ending in a slash

	Account          string // the storage account
	Endpoint         string // of the account's blobs; "" for Account's own
	Key              string // of Account
	SAS              string // a shared access signature, the query of a URL
	ConnectionString string // Account, Endpoint and Key or SAS in one

	Policy remote.Policy
}

func init() {
	open := func(ctx context.Context, url string) (store.Store, error) {
		c, err := parse(url, os.Getenv)
		if err != nil {
			return nil, err
		}
		return New(c)
	}
	store.Register("azure", open)
	store.Register("azure-dl", open)
}

// development is what UseDevelopmentStorage=true stands for: the account and the key of every Azurite
// (https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string).
const development = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;" +
	"AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
	"BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1"

// parse reads azure://account.blob.core.windows.net/container/prefix or azure-dl://container/prefix, and the environment.
// The account is that of the URL's host, as also in azure-dl://container@account.dfs.core.windows.net/prefix, and where
// there is no host with a dot in it, AZURE_ACCOUNT_NAME. A host that is this machine is an Azurite, which has the account in
// the path: azure://127.0.0.1:10000/devstoreaccount1/container/prefix.
func parse(url string, getenv func(string) string) (Config, error) {
	c := Config{
		Root: url, Account: getenv("AZURE_ACCOUNT_NAME"), Key: getenv("AZURE_ACCOUNT_ACCESS_KEY"),
		SAS: strings.TrimPrefix(getenv("AZURE_STORAGE_SAS_TOKEN"), "?"), ConnectionString: getenv("AZURE_STORAGE_CONNECTION_STRING"),
	}
	if strings.EqualFold(strings.TrimSuffix(c.ConnectionString, ";"), "UseDevelopmentStorage=true") {
		c.ConnectionString = development
	}
	if shown := store.Redacted(url); shown != url {
		return c, fmt.Errorf("store: %s: the URL has a signature: leave it out, and set AZURE_STORAGE_SAS_TOKEN to what follows the question mark", shown)
	}
	_, rest, _ := strings.Cut(url, "://")
	host, path, _ := strings.Cut(rest, "/")
	if store.Scheme(url) == "azure-dl" {
		c.Container, host, _ = strings.Cut(host, "@")
	}
	name, _, _ := strings.Cut(host, ":")
	switch {
	case name == "localhost" || name == "127.0.0.1":
		c.Account, path, _ = strings.Cut(path, "/")
		c.Endpoint = "http://" + host + "/" + c.Account
	case strings.Contains(host, "."):
		c.Account, _, _ = strings.Cut(host, ".")
		c.Endpoint = "https://" + strings.Replace(host, ".dfs.", ".blob.", 1) // both speak of the same files
	default:
		c.Account = cmp.Or(c.Account, host)
	}
	if store.Scheme(url) == "azure" {
		c.Container, path, _ = strings.Cut(path, "/")
	}
	if c.Container == "" {
		return c, fmt.Errorf("store: %s: there is no container in the URL, which is azure://account.blob.core.windows.net/container/folder or azure-dl://container/folder", url)
	}
	if c.Account == "" && c.ConnectionString == "" {
		return c, fmt.Errorf("store: %s: which account? Set AZURE_ACCOUNT_NAME, or AZURE_STORAGE_CONNECTION_STRING", url)
	}
	c.Prefix = remote.FolderPrefix(path)
	c.Endpoint = cmp.Or(c.Endpoint, "https://"+c.Account+".blob.core.windows.net")
	return c, nil
}
