package s3

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/storetest"
	"gomosaic/mdslib/store/storetest/servers"
)

// instance is an EC2 instance's metadata server, of the second version of its protocol only: a PUT gives a token for a
// session, without which nothing is answered.
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
type instance struct {
	role   string // "" for none
	answer func(number int) string

	mu     sync.Mutex
	tokens map[string]bool
	handed int // credentials handed out
}

// credentialsOf is the metadata server's answer with the credentials that have a number.
func credentialsOf(number int, secret string, expires time.Time) string {
	return fmt.Sprintf(`{"Code": "Success", "LastUpdated": %q, "Type": "AWS-HMAC", "AccessKeyId": %q, "SecretAccessKey": %q, "Token": "session-%d", "Expiration": %q}`,
		time.Now().UTC().Format(time.RFC3339), servers.S3AccessKey, secret, number, expires.UTC().Format(time.RFC3339))
}

// serve starts the server and makes the environment that of the instance.
func (i *instance) serve(t *testing.T) {
	i.tokens = map[string]bool{}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /latest/api/token", func(w http.ResponseWriter, r *http.Request) {
		const ttl = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
		if seconds, err := strconv.Atoi(r.Header.Get(ttl)); err != nil || seconds < 1 || seconds > 21600 {
			http.Error(w, ttl, http.StatusBadRequest)
			return
		}
		i.mu.Lock()
		defer i.mu.Unlock()
		token := fmt.Sprint("metadata-", len(i.tokens))
		i.tokens[token] = true
		w.Header().Set(ttl, r.Header.Get(ttl))
		fmt.Fprint(w, token)
	})
	const path = "GET /latest/meta-data/iam/security-credentials/"
	mux.HandleFunc(path+"{$}", func(w http.ResponseWriter, r *http.Request) {
		if i.admits(w, r) {
			fmt.Fprint(w, i.role)
		}
	})
	mux.HandleFunc(path+"{role}", func(w http.ResponseWriter, r *http.Request) {
		if i.admits(w, r) && r.PathValue("role") == i.role {
			i.mu.Lock()
			defer i.mu.Unlock()
			i.handed++
			fmt.Fprint(w, i.answer(i.handed))
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	isolate(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "false")
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
}

func (i *instance) admits(w http.ResponseWriter, r *http.Request) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	switch {
	case !i.tokens[r.Header.Get("X-Aws-Ec2-Metadata-Token")]:
		w.WriteHeader(http.StatusUnauthorized)
	case i.role == "":
		w.WriteHeader(http.StatusNotFound)
	default:
		return true
	}
	return false
}

// sessions is the S3 server with temporary credentials, which that has not: requests must be signed with the key pair of
// the tests and the token of a session, which is noted, and go on signed with the key pair alone. Those that are not signed
// at all go on as they are.
func sessions(t *testing.T) (url string, seen func() []string) {
	t.Helper()
	target, err := neturl.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	sign := func(r *http.Request, token string) error {
		at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err != nil {
			return err
		}
		keys := aws.Credentials{AccessKeyID: servers.S3AccessKey, SecretAccessKey: servers.S3SecretKey, SessionToken: token}
		return v4.NewSigner().SignHTTP(r.Context(), keys, r, r.Header.Get("X-Amz-Content-Sha256"), "s3", "us-east-1", at,
			func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	}
	var mu sync.Mutex
	var tokens []string
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if r.In.Header.Get("Authorization") == "" {
			return
		}
		r.Out.Header.Del("Authorization")
		r.Out.Header.Del("X-Amz-Security-Token")
		if err := sign(r.Out, ""); err != nil {
			t.Error(err)
		}
	}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, again := r.Header.Get("X-Amz-Security-Token"), r.Clone(r.Context())
		again.Header.Del("Authorization")
		if err := sign(again, token); r.Header.Get("Authorization") != "" && (err != nil || again.Header.Get("Authorization") != r.Header.Get("Authorization")) {
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
			return
		}
		mu.Lock()
		tokens = append(tokens, token)
		mu.Unlock()
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return tokens
	}
}

// TestInstanceRole: a store signs with the credentials of the instance's role, and asks for new ones when they have expired.
func TestInstanceRole(t *testing.T) {
	for name, test := range map[string]struct {
		expired int      // so many credentials have expired when they come
		want    []string // the sessions that three requests are signed for
		handed  int
	}{
		"lasting":  {0, []string{"session-1", "session-1", "session-1"}, 1},
		"expiring": {2, []string{"session-2", "session-3", "session-3"}, 3}, // the first answers the question whether there are any
	} {
		t.Run(name, func(t *testing.T) {
			machine := &instance{role: "data-reader", answer: func(number int) string {
				expires := time.Now().Add(time.Hour)
				if number <= test.expired {
					expires = time.Now().Add(-time.Minute)
				}
				return credentialsOf(number, servers.S3SecretKey, expires)
			}}
			machine.serve(t)
			url, seen := sessions(t)
			t.Setenv("S3_ENDPOINT_URL", url)
			s, err := store.Open(t.Context(), "s3://data/instance")
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "file")
			if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), s.Put(t.Context(), file, "k"), s.Get(t.Context(), "k", file), s.Delete(t.Context(), "k")); err != nil {
				t.Error(err)
			}
			if !reflect.DeepEqual(seen(), test.want) || machine.handed != test.handed {
				t.Errorf("requests of the sessions %q, %d credentials; want %q, %d", seen(), machine.handed, test.want, test.handed)
			}
		})
	}
}

// TestInstanceRoleDenied: whoever is refused learns that the instance's role was used, or why it was not, and nothing of
// what the metadata server says in confidence.
func TestInstanceRoleDenied(t *testing.T) {
	const wrong = "wrong/secret+of=a/role"
	for name, test := range map[string]struct {
		role, answer string
		ways         []string
	}{
		"no role":    {ways: []string{"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (not set)", "the instance's role (404 Not Found)"}},
		"wrong key":  {"data-reader", credentialsOf(1, wrong, time.Now().Add(time.Hour)), []string{"SignatureDoesNotMatch", "credentials: the role of this EC2 instance"}},
		"no trust":   {"data-reader", `{"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role data-reader."}`, []string{"AssumeRoleUnauthorizedAccess: EC2 cannot assume the role data-reader."}},
		"not a word": {"data-reader", `<html>`, []string{"the instance's role (failed to decode data-reader EC2 IMDS role credentials"}},
	} {
		t.Run(name, func(t *testing.T) {
			(&instance{role: test.role, answer: func(int) string { return test.answer }}).serve(t)
			url, _ := sessions(t)
			t.Setenv("S3_ENDPOINT_URL", url)
			s, err := store.Open(t.Context(), "s3://data/instance")
			if err != nil {
				t.Fatal(err)
			}
			if err := storetest.Denied(t.Context(), s, t.TempDir(), test.ways, []string{wrong, servers.S3AccessKey, "session-1", "metadata-0"}); err != nil {
				t.Error(err)
			}
		})
	}
}
