// Package databricks makes stores of Unity Catalog volumes (dbfs:/Volumes/…, or /Volumes/… where no such folder is mounted)
// and of DBFS (dbfs:/…), through the REST API of a Databricks workspace. Importing it makes the scheme dbfs known to package
// store; the cell host links it, so that cells do not.
package databricks

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

func init() {
	store.Register("dbfs", func(ctx context.Context, root string) (store.Store, error) { return open(ctx, root, remote.Policy{}) })
}

// patience is how long a failed upload may take to remove what it has left behind.
const patience = 10 * time.Second

// partBytes is the size of the parts that files are moved in, as in the reference.
const partBytes = 64 << 20

func open(ctx context.Context, root string, policy remote.Policy) (store.Store, error) {
	folder := path.Clean("/" + strings.TrimPrefix(root, "dbfs:"))
	if strings.HasPrefix(root, "dbfs://") && !strings.HasPrefix(root, "dbfs:///") {
		return nil, fmt.Errorf("store: %s: want dbfs:/path; the workspace is set by DATABRICKS_HOST or a profile", root)
	}
	inVolume := folder == "/Volumes" || strings.HasPrefix(folder, "/Volumes/")
	if inVolume && strings.Count(folder, "/") < 4 {
		return nil, fmt.Errorf("store: %s: want /Volumes/catalog/schema/volume, and folders below it", root)
	}
	// On a cluster both are mounted, and no credentials are needed.
	if mounted, ok := store.LocalPath(folder); inVolume && ok {
		return store.Open(ctx, mounted)
	}
	if !inVolume && isFolder("/dbfs") {
		return store.Open(ctx, "/dbfs"+folder)
	}
	w, err := findWorkspace("")
	if err != nil {
		if inVolume {
			catalog, _, _ := strings.Cut(strings.TrimPrefix(folder, "/Volumes/"), "/")
			err = fmt.Errorf("there is no folder /Volumes/%s here, and %w", catalog, err)
		}
		return nil, fmt.Errorf("store: %s: %w", root, err)
	}
	return w.store(folder, policy), nil
}

// store returns the store of a folder of the workspace, /Volumes/… or one of DBFS.
func (w *workspace) store(folder string, policy remote.Policy) store.Store {
	o := remote.Options{
		Root:        "dbfs:" + folder,
		Credentials: w.describe,
		Secrets:     w.secrets,
		Unsorted:    true,
		Policy:      policy,
	}
	if !strings.HasPrefix(folder, "/Volumes/") {
		return remote.New(&dbfs{w, folder, min(cmp.Or(policy.Stall, patience), patience)}, o)
	}
	if o.Policy.PartBytes == 0 {
		o.Policy.PartBytes = partBytes
	}
	return remote.New(&volume{w, folder}, o)
}

func isFolder(path string) bool {
	stat, err := os.Stat(path)
	return err == nil && stat.IsDir()
}
