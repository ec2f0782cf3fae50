package gs

// Application Default Credentials, and what to say when there are none.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"gomosaic/mdslib/store/remote"
)

const scope = "https://www.googleapis.com/auth/devstorage.read_write"

// tokenTime is how long the servers that give out tokens may take.
const tokenTime = 30 * time.Second

// metadataServer is the source of credentials on Google's own machines.
const metadataServer = "the metadata server's"

// credentials are found when the first request asks for them. Without any, requests have no token, which public buckets
// accept.
type credentials struct {
	mu      sync.Mutex
	sought  bool
	tokens  oauth2.TokenSource // nil: none were found
	source  string
	missing string
	project string // of the credentials' quota
	secrets []string
}

// token returns what the header Authorization must say, "" for nothing.
func (c *credentials) token(ctx context.Context) (string, error) {
	type answer struct {
		token *oauth2.Token
		err   error
	}
	done := make(chan answer, 1)
	go func() { // Google's library does not stop when ctx does
		tokens := c.find(context.WithoutCancel(ctx))
		if tokens == nil {
			done <- answer{}
			return
		}
		t, err := tokens.Token()
		done <- answer{t, err}
	}()
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case a := <-done:
		c.mu.Lock()
		defer c.mu.Unlock()
		if a.err != nil && c.source == metadataServer && len(c.secrets) == 0 { // there is none, or it has no account for this machine
			c.tokens, c.source, c.missing = nil, "", fmt.Sprintf("the metadata server (%v)", a.err)
			return "", nil
		}
		if a.err != nil || a.token == nil {
			return "", explainToken(a.err)
		}
		if last := len(c.secrets) - 1; last < 0 || c.secrets[last] != a.token.AccessToken {
			c.secrets = append(c.secrets, a.token.AccessToken)
		}
		return a.token.Type() + " " + a.token.AccessToken, nil
	}
}

func (c *credentials) find(ctx context.Context) oauth2.TokenSource {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sought {
		return c.tokens
	}
	c.sought = true
	ctx = context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: tokenTime})
	found, err := google.FindDefaultCredentials(ctx, scope)
	if err != nil {
		c.missing = "the metadata server (none answers)"
		if file := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"); file != "" {
			c.missing = remote.Scrub(err.Error())
		}
		return nil
	}
	c.tokens = found.TokenSource
	// What kind of credentials they are, and what of their file must not be shown.
	var file struct {
		Type, Client_email, Quota_project_id                      string
		Private_key, Private_key_id, Client_secret, Refresh_token string
	}
	if len(found.JSON) == 0 {
		c.source = metadataServer
		return c.tokens
	}
	if json.Unmarshal(found.JSON, &file) == nil {
		c.project = file.Quota_project_id
		c.secrets = append(c.secrets, file.Private_key, file.Private_key_id, file.Client_secret, file.Refresh_token)
	}
	c.source = fmt.Sprintf("%s of %s", cmp.Or(file.Client_email, file.Type), cmp.Or(os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"), wellKnown()))
	return c.tokens
}

// explainToken is the error of a request for a token, as that of the request that it is for.
func explainToken(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) || refused.Response == nil {
		return err
	}
	var text struct{ Error, Error_description string } // RFC 6749; the library reads it for some credentials only
	json.Unmarshal(refused.Body, &text)
	status := &remote.StatusError{
		Status: refused.Response.StatusCode, Code: text.Error, Message: "no token for these credentials: " + text.Error_description,
		RetryAfter: remote.RetryAfter(refused.Response.Header),
	}
	if status.Status == http.StatusBadRequest || status.Status == http.StatusNotFound {
		status.Status = http.StatusUnauthorized
	}
	return status
}

// describe says which credentials are used, or which ways of finding some were tried.
func (c *credentials) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source != "" {
		return c.source
	}
	name := "GOOGLE_APPLICATION_CREDENTIALS (not set)"
	if os.Getenv("GOOGLE_APPLICATION_CREDENTIALS") != "" {
		name = "GOOGLE_APPLICATION_CREDENTIALS"
	}
	file := wellKnown()
	if _, err := os.Stat(file); err != nil {
		file += " (not there)"
	}
	return fmt.Sprintf("none, so the request had no token; tried GCS_KEY and GCS_SECRET (not set), %s, %s, %s", name, file, c.missing)
}

func (c *credentials) hidden() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secrets
}

// wellKnown is the file that `gcloud auth application-default login` writes.
func wellKnown() string {
	home, _ := os.UserHomeDir()
	return filepath.Join(home, ".config", "gcloud", "application_default_credentials.json")
}
