package gs

// One request of the JSON API at a time (https://cloud.google.com/storage/docs/json_api/v1).

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// bucket is the [remote.PartWriter] and [remote.Lister] of a bucket.
type bucket struct {
	Config
	client       *http.Client
	*credentials // nil: none
}

func (b *bucket) objects() string {
	return b.Endpoint + "/storage/v1/b/" + url.PathEscape(b.Bucket) + "/o"
}
func (b *bucket) uploads() string {
	return b.Endpoint + "/upload/storage/v1/b/" + url.PathEscape(b.Bucket) + "/o"
}

// send makes a request and returns an answer of one of the given statuses. The caller closes its body.
func (b *bucket) send(ctx context.Context, method, address string, header http.Header, body io.Reader, bytes int64, want ...int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, err
	}
	request.ContentLength = bytes
	if body != nil && bytes == 0 {
		request.Body = http.NoBody
	}
	if header != nil {
		request.Header = header
	}
	project := b.QuotaProject
	if b.credentials != nil {
		token, err := b.token(ctx)
		if err != nil {
			return nil, err
		}
		if token != "" {
			request.Header.Set("Authorization", token)
		}
		if project == "" {
			project = b.project
		}
	}
	if project != "" {
		request.Header.Set("X-Goog-User-Project", project)
	}
	answer, err := remote.DoHTTP(b.client, request)
	if err != nil {
		return nil, err
	}
	if slices.Contains(want, answer.StatusCode) {
		return answer, nil
	}
	return nil, remote.HTTPError(answer, explain)
}

// explain takes the service's own words out of the body of an answer.
func explain(status *remote.StatusError, body []byte) {
	var text struct {
		Error struct {
			Message string
			Errors  []struct{ Reason string }
		}
	}
	if json.Unmarshal(body, &text) == nil {
		status.Message = text.Error.Message
		if len(text.Error.Errors) > 0 {
			status.Code = text.Error.Errors[0].Reason
		}
	}
}

// Open implements [remote.Reader]. The tag is the object's generation.
func (b *bucket) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	query := url.Values{"alt": {"media"}}
	header := http.Header{"Accept-Encoding": {"gzip"}} // else objects stored as gzip come unpacked
	want := http.StatusOK
	if !wanted.Whole() {
		query.Set("ifGenerationMatch", tag)
		header.Set("Range", wanted.Range())
		want = http.StatusPartialContent
	}
	answer, err := b.send(ctx, http.MethodGet, b.objects()+"/"+url.PathEscape(key)+"?"+query.Encode(), header, nil, 0, want)
	if err != nil {
		return nil, remote.Info{}, err
	}
	body, info, err := remote.HTTPBody(answer, wanted)
	info.Tag, info.Ranges = answer.Header.Get("X-Goog-Generation"), true
	return body, info, err
}

// Upload implements [remote.Writer].
func (b *bucket) Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) error {
	query := url.Values{"uploadType": {"media"}, "name": {key}}
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	answer, err := b.send(ctx, http.MethodPost, b.uploads()+"?"+query.Encode(), header, body, bytes, http.StatusOK)
	if err != nil {
		return err
	}
	return drain(answer)
}

// drain reads an answer to its end, so that its connection can be used again.
func drain(answer *http.Response) error {
	_, err := io.Copy(io.Discard, answer.Body)
	return errors.Join(err, answer.Body.Close())
}

// Delete implements [remote.Writer].
func (b *bucket) Delete(ctx context.Context, key string) error {
	answer, err := b.send(ctx, http.MethodDelete, b.objects()+"/"+url.PathEscape(key), nil, nil, 0, http.StatusNoContent, http.StatusOK)
	if err != nil {
		return err
	}
	return drain(answer)
}

// Page implements [remote.Lister].
func (b *bucket) Page(ctx context.Context, prefix, token string) (objects []store.Object, next string, err error) {
	query := url.Values{"prefix": {prefix}, "maxResults": {"1000"}, "fields": {"items(name,size,updated),nextPageToken"}}
	if token != "" {
		query.Set("pageToken", token)
	}
	answer, err := b.send(ctx, http.MethodGet, b.objects()+"?"+query.Encode(), nil, nil, 0, http.StatusOK)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	var page struct {
		Items []struct {
			Name, Size string
			Updated    time.Time
		}
		NextPageToken string
	}
	if err := json.NewDecoder(answer.Body).Decode(&page); err != nil {
		return nil, "", fmt.Errorf("list: %w", err)
	}
	for _, item := range page.Items {
		bytes, err := strconv.ParseInt(item.Size, 10, 64)
		if err != nil {
			return nil, "", fmt.Errorf("list: size of %s: %w", item.Name, err)
		}
		objects = append(objects, store.Object{Key: item.Name, Bytes: bytes, Modified: item.Updated})
	}
	return objects, page.NextPageToken, nil
}
