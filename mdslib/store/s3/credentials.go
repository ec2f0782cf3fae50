package s3

// How credentials are found, and what to say when there are none.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gomosaic/mdslib/store/remote"
)

// credentials are those of a store: found once, when the first request asks for them. Without any the requests are not
// signed, which public buckets accept.
type credentials struct {
	provider aws.CredentialsProvider
	given    string // where they come from, if they were not searched for

	mu      sync.Mutex
	sought  bool
	source  string // of those found
	missing string // why there are none, as words about the instance's role
	secrets []string
}

// find looks for credentials and tells whether there are some.
func (c *credentials) find(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sought {
		return c.missing == "", nil
	}
	found, err := c.provider.Retrieve(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	c.sought = true
	if err != nil {
		c.missing = remote.Scrub(whyNone(err))
		return false, nil
	}
	c.source = cmp.Or(c.given, sources[found.Source], found.Source)
	c.hide(found)
	return true, nil
}

func (c *credentials) hide(found aws.Credentials) {
	c.secrets = append(c.secrets, found.AccessKeyID, found.SecretAccessKey, found.SessionToken)
}

// Retrieve implements [aws.CredentialsProvider]; credentials that are renewed are kept out of errors, too.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.provider.Retrieve(ctx)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.secrets) == 0 || c.secrets[len(c.secrets)-2] != found.SecretAccessKey {
			c.hide(found)
		}
	}
	return found, err
}

// hidden returns what must not be shown.
func (c *credentials) hidden() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.secrets
}

// sources are the SDK's names of the ways that need other words.
var sources = map[string]string{
	"EnvConfigCredentials":        "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
	"EC2RoleProvider":             "the role of this EC2 instance",
	"WebIdentityCredentials":      "the web identity of AWS_WEB_IDENTITY_TOKEN_FILE",
	"CredentialsEndpointProvider": "the container's role",
	"SSOProvider":                 "single sign-on",
	"AssumeRoleProvider":          "the role of the profile",
}

// describe says which credentials are used, or which ways of finding some were tried.
func (c *credentials) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.source != "" {
		return c.source
	}
	if c.given != "" {
		return c.given
	}
	unset := func(names ...string) string {
		for _, name := range names {
			if os.Getenv(name) == "" {
				return strings.Join(names, " and ") + " (not set)"
			}
		}
		return strings.Join(names, " and ") + " (set)"
	}
	profile := cmp.Or(os.Getenv("AWS_PROFILE"), "default")
	return fmt.Sprintf("none, so the request was not signed; tried %s, the profile %q of %s and %s, %s, %s, the instance's role (%s)",
		unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), profile,
		file("AWS_SHARED_CREDENTIALS_FILE", "credentials"), file("AWS_CONFIG_FILE", "config"),
		unset("AWS_WEB_IDENTITY_TOKEN_FILE"), unset("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), cmp.Or(c.missing, "not asked"))
}

// file names one of AWS's files and says whether it is there.
func file(variable, name string) string {
	path := os.Getenv(variable)
	shown := path
	if path == "" {
		home, _ := os.UserHomeDir()
		path, shown = filepath.Join(home, ".aws", name), "~/.aws/"+name
	}
	if _, err := os.Stat(path); err != nil {
		shown += " (not there)"
	}
	return shown
}

// whyNone says why there are no credentials. The SDK asks the instance where no other way of finding some is set up; its
// errors repeat at each level that something failed.
func whyNone(err error) string {
	var answer *smithyhttp.ResponseError
	text := strings.TrimPrefix(err.Error(), "failed to refresh cached credentials, ")
	_, inner, ofOperation := strings.Cut(text, "operation error ec2imds: GetMetadata, ")
	switch {
	case !strings.Contains(text, "EC2 IMDS"):
		return "not asked, for the way that is set up failed: " + text
	case strings.Contains(text, "access disabled"):
		return "AWS_EC2_METADATA_DISABLED is set"
	case errors.As(err, &answer) && answer.Response != nil:
		return answer.Response.Status
	case ofOperation:
		return inner
	}
	return text
}
