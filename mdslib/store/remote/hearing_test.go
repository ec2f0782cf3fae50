package remote_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/storetest"
)

// TestRefusedEarly: a refusal is heard, and the file not sent again, although the server hangs up while it is being sent. That
// is a race of what arrives and what is sent, which net/http alone loses more often than not.
func TestRefusedEarly(t *testing.T) {
	for name, start := range map[string]func(http.Handler) *httptest.Server{"http": httptest.NewServer, "https": httptest.NewTLSServer} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			server := start(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				conn, _, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprint(conn, "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!")
				conn.Close()
			}))
			defer server.Close()
			c := newClient(server.URL)
			c.http.Transport.(*http.Transport).TLSClientConfig = server.Client().Transport.(*http.Transport).TLSClientConfig
			policy := storetest.Quick
			policy.PartBytes = 1 << 30
			s := remote.New(c, options(policy))
			file := filepath.Join(t.TempDir(), "file")
			if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 20<<20)); err != nil {
				t.Fatal(err)
			}
			for i := range int32(50) {
				if err := s.Put(t.Context(), file, "k"); requests.Load() != i+1 || !errors.Is(err, fs.ErrPermission) {
					t.Fatalf("%d requests, want %d: %v", requests.Load(), i+1, err)
				}
			}
		})
	}
}
