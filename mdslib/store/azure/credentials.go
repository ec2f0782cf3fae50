package azure

// How credentials are found, and what to say when there are none.

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"gomosaic/mdslib/store/remote"
)

const scope = "https://storage.azure.com/.default"

// credentials are found when the first request asks for them. Without any, requests are not authorised, which public
// containers accept.
type credentials struct {
	given   string   // where they come from, if they were not searched for
	secrets []string // what must not be shown

	mu      sync.Mutex
	chain   azcore.TokenCredential // nil: given
	sought  bool
	found   bool
	missing string // why there are none
}

// find looks for credentials and tells whether there are some.
func (c *credentials) find(ctx context.Context) (bool, error) {
	if c.given != "" {
		return true, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sought {
		return c.found, nil
	}
	chain, err := azidentity.NewDefaultAzureCredential(nil)
	if err == nil {
		c.chain = chain
		_, err = chain.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}})
	}
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	var refused *azidentity.AuthenticationFailedError
	if errors.As(err, &refused) {
		return false, &remote.StatusError{Status: http.StatusUnauthorized, Message: "no token for these credentials: " + oneLine(refused.Error())}
	}
	c.sought, c.found = true, err == nil
	if err != nil {
		c.missing = oneLine(err.Error())
	}
	return c.found, nil
}

// GetToken implements [azcore.TokenCredential].
func (c *credentials) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.chain.GetToken(ctx, o)
	if err == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if last := len(c.secrets) - 1; last < 0 || c.secrets[last] != token.Token {
			c.secrets = append(c.secrets, token.Token)
		}
	}
	return token, err
}

// describe says which credentials are used, or which ways of finding some were tried.
func (c *credentials) describe() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.given != "":
		return c.given
	case c.found:
		return "DefaultAzureCredential's"
	}
	return "none, so the request was not authorised; tried AZURE_STORAGE_CONNECTION_STRING, AZURE_ACCOUNT_ACCESS_KEY and AZURE_STORAGE_SAS_TOKEN (not set), " + c.missing
}

// hidden returns what must not be shown.
func (c *credentials) hidden() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{os.Getenv("AZURE_CLIENT_SECRET"), os.Getenv("AZURE_CLIENT_CERTIFICATE_PASSWORD")}, c.secrets...)
}

// secretParts are those of a connection string.
var secretParts = regexp.MustCompile(`(?i)(?:AccountKey|SharedAccessSignature)=([^;]*)`)

// signature is the secret in a shared access signature.
var signature = regexp.MustCompile(`(?:^|[?&])sig=([^&]*)`)

// secretsOf are the secrets in a configuration.
func secretsOf(c Config) []string {
	secrets := []string{c.Key, c.SAS}
	for _, m := range secretParts.FindAllStringSubmatch(c.ConnectionString, -1) {
		secrets = append(secrets, m[1])
	}
	for _, s := range secrets {
		if m := signature.FindStringSubmatch(s); m != nil {
			secrets = append(secrets, m[1])
		}
	}
	return secrets
}

var space = regexp.MustCompile(`\s*\n\s*`)

// oneLine joins the lines of the SDK's errors.
func oneLine(text string) string {
	return strings.TrimSpace(space.ReplaceAllString(strings.TrimSpace(text), "; "))
}
