package s3

// Uploads in parts.

import (
	"context"
	"io"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"gomosaic/mdslib/store/remote"
)

// parts is the [remote.Parts] of a multipart upload.
type parts struct {
	*bucket
	key string
	id  *string

	mu   sync.Mutex
	done []types.CompletedPart
}

// Begin implements [remote.PartWriter].
func (b *bucket) Begin(ctx context.Context, key string, _ int64) (remote.Parts, error) {
	in := &s3.CreateMultipartUploadInput{Bucket: &b.Bucket, Key: &key, ACL: types.ObjectCannedACL(b.ACL), RequestPayer: b.payer()}
	p := &parts{bucket: b, key: key}
	err := b.send(ctx, false, func(client *s3.Client, option func(*s3.Options)) error {
		out, err := client.CreateMultipartUpload(ctx, in, option)
		if err == nil {
			p.id = out.UploadId
		}
		return err
	})
	return p, err
}

// Put implements [remote.Parts].
func (p *parts) Put(ctx context.Context, part remote.Part, body io.ReadSeeker) error {
	number := int32(part.Number)
	in := &s3.UploadPartInput{
		Bucket: &p.Bucket, Key: &p.key, UploadId: p.id, PartNumber: &number, Body: body, ContentLength: &part.Bytes, RequestPayer: p.payer(),
	}
	return p.send(ctx, false, func(client *s3.Client, option func(*s3.Options)) error {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		out, err := client.UploadPart(ctx, in, option)
		if err != nil {
			return err
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.done = append(p.done, types.CompletedPart{PartNumber: &number, ETag: out.ETag})
		return nil
	})
}

// Complete implements [remote.Parts].
func (p *parts) Complete(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.SortFunc(p.done, func(a, b types.CompletedPart) int { return int(*a.PartNumber - *b.PartNumber) })
	in := &s3.CompleteMultipartUploadInput{
		Bucket: &p.Bucket, Key: &p.key, UploadId: p.id, MultipartUpload: &types.CompletedMultipartUpload{Parts: p.done}, RequestPayer: p.payer(),
	}
	return p.send(ctx, false, func(client *s3.Client, option func(*s3.Options)) error {
		_, err := client.CompleteMultipartUpload(ctx, in, option)
		return err
	})
}

// Abort implements [remote.Parts].
func (p *parts) Abort(ctx context.Context) error {
	return p.send(ctx, false, func(client *s3.Client, option func(*s3.Options)) error {
		_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{
			Bucket: aws.String(p.Bucket), Key: &p.key, UploadId: p.id, RequestPayer: p.payer(),
		}, option)
		return err
	})
}
