package databricks

// Single requests to a workspace, and to the addresses of cloud storage that it gives out.

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"gomosaic/mdslib/store/remote"
)

// call is a request.
type call struct {
	method string
	path   string // of the workspace, or a whole address with its own authorization in it
	query  url.Values
	header http.Header
	json   any // the body, or
	body   io.Reader
	bytes  int64 // of body
}

// do makes the request and returns an answer of 2xx; its body is the caller's to close.
func (w *workspace) do(ctx context.Context, c call) (*http.Response, error) {
	address := c.path
	ours := strings.HasPrefix(c.path, "/")
	if ours {
		address = w.host + (&url.URL{Path: c.path}).EscapedPath()
	}
	if len(c.query) > 0 {
		address += "?" + c.query.Encode()
	}
	body, size := c.body, c.bytes
	if c.json != nil {
		text, err := json.Marshal(c.json)
		if err != nil {
			return nil, err
		}
		body, size = bytes.NewReader(text), int64(len(text))
	}
	if body == nil || size == 0 {
		body = http.NoBody
	}
	request, err := http.NewRequestWithContext(ctx, c.method, address, io.NopCloser(body))
	if err != nil {
		return nil, err
	}
	request.ContentLength = size
	if size == 0 {
		request.Body = http.NoBody
	}
	for name, values := range c.header {
		request.Header[name] = values
	}
	if c.json != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if ours {
		token, err := w.who.token(ctx)
		if err != nil {
			return nil, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
		request.Header.Set("User-Agent", "gomosaic")
		if w.id != "" {
			request.Header.Set("X-Databricks-Workspace-Id", w.id)
		}
	}
	answer, err := remote.DoHTTP(w.client, request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 == 2 {
		return answer, nil
	}
	return answer, remote.HTTPError(answer, explain)
}

// ask makes a request whose answer is JSON and decodes it into out, if that is not nil.
func (w *workspace) ask(ctx context.Context, c call, out any) error {
	answer, err := w.do(ctx, c)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, answer.Body)
		return err
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: the answer is no JSON that was expected: %w", c.method, c.path, err)
	}
	return nil
}

// explain reads the body of an answer that reports an error: the JSON of Databricks, or the XML of the cloud's storage.
func explain(status *remote.StatusError, body []byte) {
	var databricks struct {
		ErrorCode string `json:"error_code"`
		Message   string
		Details   []struct{ Reason string }
	}
	var cloud struct {
		XMLName xml.Name `xml:"Error"`
		Code    string
		Message string
		Detail  string `xml:"AuthenticationErrorDetail"`
	}
	if json.Unmarshal(body, &databricks) == nil {
		status.Code, status.Message = databricks.ErrorCode, databricks.Message
		for _, d := range databricks.Details {
			if d.Reason != "" {
				status.Code += " " + d.Reason
			}
		}
		if databricks.ErrorCode == "RESOURCE_DOES_NOT_EXIST" || databricks.ErrorCode == "NOT_FOUND" {
			status.Status = http.StatusNotFound
		}
	} else if xml.Unmarshal(body, &cloud) == nil {
		status.Code, status.Message = cloud.Code, strings.TrimSpace(cloud.Message+" "+cloud.Detail)
	}
}
