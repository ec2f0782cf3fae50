package databricks

// Who we are: a personal access token, a service principal, or a login of the databricks command.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"

	"gomosaic/mdslib/store/remote"
)

// credentials give the token of a request. They are safe for concurrent use.
type credentials interface {
	token(ctx context.Context) (string, error)
	describe() string // for errors, without secrets
	secrets() []string
}

// credentials chooses among what is configured. The chosen profile's name goes to the databricks command.
func (s *settings) credentials(w *workspace, profile string) (credentials, error) {
	kind, v := s.values["auth_type"], s.values
	switch {
	case v["token"] != "" && (kind == "" || kind == "pat"):
		return &accessToken{v["token"], s.from["token"]}, nil
	case v["client_id"] != "" && v["client_secret"] != "" && (kind == "" || kind == "oauth-m2m"):
		return &renewed{
			from: fmt.Sprintf("service principal %s of %s", v["client_id"], s.from["client_id"]), fixed: v["client_secret"],
			fetch: func(ctx context.Context) (*oauth2.Token, error) {
				return principalToken(ctx, w, v["client_id"], v["client_secret"])
			},
		}, nil
	case kind == "databricks-cli":
		command, arguments := v["databricks_cli_path"], []string{"auth", "token", "--host", w.host}
		if command == "" {
			command = "databricks"
		}
		if profile != "" {
			arguments = []string{"auth", "token", "--profile", profile}
		}
		return &renewed{
			from:  fmt.Sprintf("the login of `%s %s`", command, strings.Join(arguments, " ")),
			fetch: func(ctx context.Context) (*oauth2.Token, error) { return commandToken(ctx, command, arguments) },
		}, nil
	case kind == "" || kind == "pat" || kind == "oauth-m2m":
		return nil, fmt.Errorf("no credentials for the Databricks workspace %s (%s): tried DATABRICKS_TOKEN, DATABRICKS_CLIENT_ID with DATABRICKS_CLIENT_SECRET, and the profile's token, client_id with client_secret, and auth_type databricks-cli", w.host, w.source)
	}
	return nil, fmt.Errorf("auth_type %s of %s is not supported: pat, oauth-m2m and databricks-cli are", kind, s.from["auth_type"])
}

// accessToken is a personal access token.
type accessToken struct{ secret, from string }

func (a *accessToken) token(context.Context) (string, error) { return a.secret, nil }
func (a *accessToken) describe() string                      { return "the token of " + a.from }
func (a *accessToken) secrets() []string                     { return []string{a.secret} }

// renewed is a token that lives for an hour or so and is then fetched anew.
type renewed struct {
	from  string
	fixed string // the secret it is fetched with; "" for none
	fetch func(context.Context) (*oauth2.Token, error)

	mu      sync.Mutex
	current *oauth2.Token
}

func (r *renewed) token(ctx context.Context) (string, error) {
	r.mu.Lock() // requests wait for the one that fetches
	defer r.mu.Unlock()
	if !r.current.Valid() {
		t, err := r.fetch(ctx)
		if err != nil {
			return "", err
		}
		r.current = t
	}
	return r.current.AccessToken, nil
}

func (r *renewed) describe() string { return r.from }

func (r *renewed) secrets() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return []string{r.fixed}
	}
	return []string{r.fixed, r.current.AccessToken}
}

// principalToken logs a service principal in (https://docs.databricks.com/dev-tools/auth/oauth-m2m.html).
func principalToken(ctx context.Context, w *workspace, id, secret string) (*oauth2.Token, error) {
	login := clientcredentials.Config{
		ClientID: id, ClientSecret: secret, TokenURL: w.host + "/oidc/v1/token",
		Scopes: []string{"all-apis"}, AuthStyle: oauth2.AuthStyleInHeader,
	}
	t, err := login.Token(context.WithValue(ctx, oauth2.HTTPClient, w.client))
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) {
		status := &remote.StatusError{Status: refused.Response.StatusCode, Code: refused.ErrorCode, Message: refused.ErrorDescription, RetryAfter: remote.RetryAfter(refused.Response.Header)}
		if status.Status == http.StatusBadRequest && refused.ErrorCode == "invalid_client" {
			status.Status = http.StatusUnauthorized
		}
		return nil, fmt.Errorf("log in: %w", status)
	}
	if err != nil {
		return nil, fmt.Errorf("log in: %w", err)
	}
	return t, nil
}

// commandToken asks the databricks command for the token of a user who has logged in with `databricks auth login`.
func commandToken(ctx context.Context, command string, arguments []string) (*oauth2.Token, error) {
	var out, problems bytes.Buffer
	cmd := exec.CommandContext(ctx, command, arguments...)
	cmd.Stdout, cmd.Stderr = &out, &problems
	cmd.WaitDelay = time.Second
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, strings.TrimSpace(problems.String()))
	}
	var t oauth2.Token
	if err := json.Unmarshal(out.Bytes(), &t); err != nil || t.AccessToken == "" {
		return nil, fmt.Errorf("%s: its output has no access_token", strings.Join(cmd.Args, " "))
	}
	return &t, nil
}
