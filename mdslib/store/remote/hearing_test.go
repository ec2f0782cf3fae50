package remote_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/fault"
)

// TestRefusedEarly: a refusal is heard, and the file not sent again, although the server hangs up while it is being sent. That
// is a race of what arrives and what is sent, which net/http alone loses more often than not.
func TestRefusedEarly(t *testing.T) {
	_, address := serve(t)
	proxy, err := fault.New(address)
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	policy := storetest.Quick
	policy.PartBytes = 1 << 30
	s := remote.New(newClient(proxy.URL), options(policy))
	file := filepath.Join(t.TempDir(), "file")
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 20<<20)); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		proxy.Inject(fault.Fault{Always: true, Status: 403, Early: true})
		err := s.Put(t.Context(), file, "k")
		if n, _ := proxy.Requests(); n != 1 || !errors.Is(err, fs.ErrPermission) {
			t.Fatalf("%d requests, want 1: %v", n, err)
		}
	}
}
