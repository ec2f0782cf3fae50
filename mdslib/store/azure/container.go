package azure

// One request at a time, by Azure's SDK.

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// box is the [remote.PartWriter] and [remote.Lister] of a container.
type box struct {
	authorised, anonymous *container.Client
	*credentials
}

// New opens the store of a container. It asks the network for nothing.
func New(c Config) (store.Store, error) {
	options := &container.ClientOptions{ClientOptions: policy.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: -1}, // package remote tries again
		Telemetry: policy.TelemetryOptions{Disabled: true},
		Transport: remote.HTTPClient(),
	}}
	address := strings.TrimRight(c.Endpoint, "/") + "/" + c.Container
	b := &box{credentials: &credentials{secrets: secretsOf(c)}}
	var err error
	switch {
	case c.ConnectionString != "":
		b.given = "AZURE_STORAGE_CONNECTION_STRING"
		b.authorised, err = container.NewClientFromConnectionString(c.ConnectionString, c.Container, options)
	case c.Key != "":
		b.given = "AZURE_ACCOUNT_ACCESS_KEY of the account " + c.Account
		var key *container.SharedKeyCredential
		if key, err = container.NewSharedKeyCredential(c.Account, c.Key); err == nil {
			b.authorised, err = container.NewClientWithSharedKeyCredential(address, key, options)
		}
	case c.SAS != "":
		b.given = "AZURE_STORAGE_SAS_TOKEN"
		b.authorised, err = container.NewClientWithNoCredential(address+"?"+c.SAS, options)
	default:
		b.authorised, err = container.NewClient(address, b.credentials, options)
	}
	if err == nil {
		b.anonymous, err = container.NewClientWithNoCredential(address, options)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %s: %s: %s", c.Root, b.given, remote.Scrub(err.Error(), b.secrets...))
	}
	return remote.New(b, remote.Options{
		Root: c.Root, Prefix: c.Prefix, Policy: c.Policy,
		MaxParts: blockblob.MaxBlocks, PartsAlone: true, Unsorted: true, // a hierarchical namespace lists folder by folder
		Credentials: b.describe, Secrets: b.hidden,
	}), nil
}

// client returns that of the container, with credentials if there are some.
func (b *box) client(ctx context.Context) (*container.Client, error) {
	found, err := b.find(ctx)
	if err != nil {
		return nil, err
	}
	if found {
		return b.authorised, nil
	}
	return b.anonymous, nil
}

func (b *box) blob(ctx context.Context, key string) (*blockblob.Client, error) {
	c, err := b.client(ctx)
	if err != nil {
		return nil, err
	}
	return c.NewBlockBlobClient(key), nil
}

// explain makes a [remote.StatusError] of the SDK's error, whose own text repeats the address and the answer.
func explain(err error) error {
	var answer *azcore.ResponseError
	if !errors.As(err, &answer) || answer.RawResponse == nil {
		return err
	}
	status := &remote.StatusError{Status: answer.StatusCode, Code: answer.ErrorCode, RetryAfter: remote.RetryAfter(answer.RawResponse.Header)}
	if body, err := runtime.Payload(answer.RawResponse); err == nil {
		var text struct{ Message string }
		if xml.Unmarshal(body, &text) == nil {
			status.Message, _, _ = strings.Cut(text.Message, "\n") // the request's number and time follow
		}
	}
	if status.Status == http.StatusConflict && status.Code == "ContainerBeingDeleted" {
		status.Status = http.StatusNotFound
	}
	return status
}

// Open implements [remote.Reader].
func (b *box) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	c, err := b.blob(ctx, key)
	if err != nil {
		return nil, remote.Info{}, err
	}
	options := &blob.DownloadStreamOptions{Range: blob.HTTPRange{Offset: wanted.Offset, Count: wanted.Bytes}}
	if !wanted.Whole() {
		options.AccessConditions = &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfMatch: to.Ptr(azcore.ETag(tag))}}
	}
	answer, err := c.DownloadStream(ctx, options)
	if err != nil {
		return nil, remote.Info{}, explain(err)
	}
	info := remote.Info{Bytes: -1, Ranges: true}
	if wanted.Whole() && answer.ContentLength != nil {
		info.Bytes = *answer.ContentLength
	}
	if answer.ETag != nil {
		info.Tag = string(*answer.ETag)
	}
	return answer.Body, info, nil
}

// Upload implements [remote.Writer].
func (b *box) Upload(ctx context.Context, key string, body io.ReadSeeker, _ int64) error {
	c, err := b.blob(ctx, key)
	if err != nil {
		return err
	}
	_, err = c.Upload(ctx, streaming.NopCloser(body), nil)
	return explain(err)
}

// Delete implements [remote.Writer].
func (b *box) Delete(ctx context.Context, key string) error {
	c, err := b.blob(ctx, key)
	if err != nil {
		return err
	}
	_, err = c.Delete(ctx, &blob.DeleteOptions{DeleteSnapshots: to.Ptr(blob.DeleteSnapshotsOptionTypeInclude)})
	return explain(err)
}

// Page implements [remote.Lister].
func (b *box) Page(ctx context.Context, prefix, token string) (objects []store.Object, next string, err error) {
	c, err := b.client(ctx)
	if err != nil {
		return nil, "", err
	}
	options := &container.ListBlobsFlatOptions{Prefix: &prefix}
	if token != "" {
		options.Marker = &token
	}
	page, err := c.NewListBlobsFlatPager(options).NextPage(ctx)
	if err != nil {
		return nil, "", explain(err)
	}
	for _, item := range page.Segment.BlobItems {
		if item.Name == nil || item.Properties == nil || item.Properties.ContentLength == nil {
			continue
		}
		if kind := item.Properties.ResourceType; kind != nil && *kind == "directory" {
			continue
		}
		o := store.Object{Key: *item.Name, Bytes: *item.Properties.ContentLength}
		if at := item.Properties.LastModified; at != nil {
			o.Modified = *at
		}
		objects = append(objects, o)
	}
	if page.NextMarker != nil {
		next = *page.NextMarker
	}
	return objects, next, nil
}
