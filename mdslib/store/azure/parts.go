package azure

// Uploads in blocks.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"gomosaic/mdslib/store/remote"
)

// blocks is the [remote.Parts] of a blob.
type blocks struct {
	blob *blockblob.Client
	name string // of this upload: others may be under way for the same blob

	mu    sync.Mutex
	count int
}

// Begin implements [remote.PartWriter].
func (b *box) Begin(ctx context.Context, key string, _ int64) (remote.Parts, error) {
	c, err := b.blob(ctx, key)
	return &blocks{blob: c, name: rand.Text()}, err
}

// id names a block; all ids of a blob must be of one length.
func (b *blocks) id(number int) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s-%06d", b.name, number))
}

// Put implements [remote.Parts].
func (b *blocks) Put(ctx context.Context, part remote.Part, body io.ReadSeeker) error {
	if _, err := b.blob.StageBlock(ctx, b.id(part.Number), streaming.NopCloser(body), nil); err != nil {
		return explain(err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count = max(b.count, part.Number)
	return nil
}

// Complete implements [remote.Parts].
func (b *blocks) Complete(ctx context.Context) error {
	ids := make([]string, b.count)
	for i := range ids {
		ids[i] = b.id(i + 1)
	}
	_, err := b.blob.CommitBlockList(ctx, ids, nil)
	return explain(err)
}

// Abort implements [remote.Parts]: blocks cannot be deleted, the service drops those not used within a week.
func (b *blocks) Abort(context.Context) error { return nil }
