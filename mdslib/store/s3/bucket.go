package s3

// One request at a time, by AWS's SDK.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	static "github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// bucket is the [remote.PartWriter] and [remote.Lister] of a bucket.
type bucket struct {
	Config
	client, unsigned *s3.Client
	*credentials
	region atomic.Pointer[string] // where the bucket has proved to be; nil: as configured
}

// New opens the store of a bucket. It asks the network for nothing.
func New(ctx context.Context, c Config) (store.Store, error) {
	load := []func(*config.LoadOptions) error{
		config.WithLogger(logging.Nop{}),
	}
	if c.Region != "" {
		load = append(load, config.WithRegion(c.Region))
	}
	if c.SecretKey != "" {
		load = append(load, config.WithCredentialsProvider(static.NewStaticCredentialsProvider(c.AccessKeyID, c.SecretKey, "")))
	}
	settings, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("store: %s: %s", c.Root, remote.Scrub(err.Error()))
	}
	b := &bucket{Config: c, credentials: &credentials{provider: settings.Credentials}}
	if c.SecretKey != "" {
		b.given = c.Keys
	}
	settings.Credentials = b.credentials
	if client, ok := settings.HTTPClient.(*awshttp.BuildableClient); ok { // with the certificates of AWS_CA_BUNDLE
		settings.HTTPClient = client.WithTransportOptions(remote.Tune).Freeze()
	}
	if settings.Region == "" {
		settings.Region = "us-east-1" // a bucket elsewhere says so
	}
	b.client = s3.NewFromConfig(settings, b.configure)
	b.unsigned = s3.NewFromConfig(settings, b.configure, func(o *s3.Options) { o.Credentials = aws.AnonymousCredentials{} })
	return remote.New(b, remote.Options{
		Root: c.Root, Prefix: c.Prefix, Policy: c.Policy,
		Credentials: b.describe, Secrets: b.hidden,
	}), nil
}

func (b *bucket) configure(o *s3.Options) {
	o.Retryer = aws.NopRetryer{} // package remote tries again; what credentials are asked of, the SDK asks again
	if b.Endpoint != "" {
		o.BaseEndpoint = &b.Endpoint
	}
	// Most other services know buckets in paths only, and no checksums in trailers.
	o.UsePathStyle = o.BaseEndpoint != nil
	o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
	o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	o.DisableLogOutputChecksumValidationSkipped = true
	if o.BaseEndpoint == nil || strings.HasPrefix(*o.BaseEndpoint, "https:") {
		// TLS guards the content; hashing it for the signature would be to read every file twice.
		o.APIOptions = append(o.APIOptions, v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)
	}
	if b.SignsLess {
		o.APIOptions = append(o.APIOptions, leaveEncodingUnsigned)
	}
}

// leaveEncodingUnsigned takes Accept-Encoding out of a request while it is signed.
func leaveEncodingUnsigned(stack *middleware.Stack) error {
	type kept struct{}
	const name = "Accept-Encoding"
	takeOut := middleware.FinalizeMiddlewareFunc("TakeOutAcceptEncoding", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			ctx = middleware.WithStackValue(ctx, kept{}, request.Header.Get(name))
			request.Header.Del(name)
		}
		return next.HandleFinalize(ctx, in)
	})
	putBack := middleware.FinalizeMiddlewareFunc("PutBackAcceptEncoding", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
		if request, ok := in.Request.(*smithyhttp.Request); ok {
			if value, _ := middleware.GetStackValue(ctx, kept{}).(string); value != "" {
				request.Header.Set(name, value)
			}
		}
		return next.HandleFinalize(ctx, in)
	})
	return errors.Join(stack.Finalize.Insert(takeOut, "Signing", middleware.Before), stack.Finalize.Insert(putBack, "Signing", middleware.After))
}

// send makes a request: signed if there are credentials, and again where the bucket says that it is. A read that is refused
// because the credentials are no good any more is made once more without them, for the bucket may be a public one.
func (b *bucket) send(ctx context.Context, read bool, request func(client *s3.Client, option func(*s3.Options)) error) error {
	signed, err := b.find(ctx)
	if err != nil {
		return err
	}
	try := func(signed bool) error {
		client := b.unsigned
		if signed {
			client = b.client
		}
		return explain(request(client, func(o *s3.Options) {
			if region := b.region.Load(); region != nil {
				o.Region = *region
			}
		}))
	}
	err = try(signed)
	var elsewhere *otherRegion
	if errors.As(err, &elsewhere) {
		if now := b.region.Swap(&elsewhere.region); now == nil || *now != elsewhere.region {
			err = try(signed)
		}
	}
	var status *remote.StatusError
	if read && signed && errors.As(err, &status) && status.Status == http.StatusUnauthorized && strings.Contains(status.Code, "Token") && try(false) == nil {
		return nil
	}
	return err
}

// otherRegion is the error of a request to a bucket of another region.
type otherRegion struct {
	*remote.StatusError
	region string
}

func (e *otherRegion) Unwrap() error { return e.StatusError }

// explain makes a [remote.StatusError] of the SDK's error, or otherRegion.
func explain(err error) error {
	var answer *smithyhttp.ResponseError
	if err == nil || !errors.As(err, &answer) || answer.Response == nil {
		return err
	}
	status := &remote.StatusError{Status: answer.HTTPStatusCode(), RetryAfter: remote.RetryAfter(answer.Response.Header)}
	var api smithy.APIError
	if errors.As(err, &api) {
		status.Code, status.Message = api.ErrorCode(), api.ErrorMessage()
	} else if status.Status < 300 {
		return err // an answer that broke off while it was read
	}
	switch status.Code { // for which S3 says 400
	case "RequestTimeout":
		status.Status = http.StatusRequestTimeout
	case "ExpiredToken", "InvalidToken", "TokenRefreshRequired":
		status.Status = http.StatusUnauthorized
	}
	if region := answer.Response.Header.Get("X-Amz-Bucket-Region"); region != "" &&
		(status.Status == http.StatusMovedPermanently || status.Status == http.StatusTemporaryRedirect || status.Code == "AuthorizationHeaderMalformed") {
		return &otherRegion{status, region}
	}
	return status
}

func (b *bucket) payer() types.RequestPayer {
	if b.RequesterPays {
		return types.RequestPayerRequester
	}
	return ""
}

// Open implements [remote.Reader].
func (b *bucket) Open(ctx context.Context, key string, wanted remote.Span, tag string) (io.ReadCloser, remote.Info, error) {
	in := &s3.GetObjectInput{Bucket: &b.Bucket, Key: &key, RequestPayer: b.payer()}
	if !wanted.Whole() {
		in.Range, in.IfMatch = aws.String(wanted.Range()), &tag
	}
	var out *s3.GetObjectOutput
	err := b.send(ctx, true, func(client *s3.Client, option func(*s3.Options)) (err error) {
		out, err = client.GetObject(ctx, in, option)
		return err
	})
	if err != nil {
		return nil, remote.Info{}, err
	}
	info := remote.Info{Bytes: -1, Tag: aws.ToString(out.ETag), Ranges: true}
	if wanted.Whole() && out.ContentLength != nil {
		info.Bytes = *out.ContentLength
	}
	return out.Body, info, nil
}

// Upload implements [remote.Writer].
func (b *bucket) Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) error {
	in := &s3.PutObjectInput{
		Bucket: &b.Bucket, Key: &key, Body: body, ContentLength: &bytes,
		ACL: types.ObjectCannedACL(b.ACL), RequestPayer: b.payer(),
	}
	return b.send(ctx, false, func(client *s3.Client, option func(*s3.Options)) error {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		_, err := client.PutObject(ctx, in, option)
		return err
	})
}

// Delete implements [remote.Writer].
func (b *bucket) Delete(ctx context.Context, key string) error {
	return b.send(ctx, false, func(client *s3.Client, option func(*s3.Options)) error {
		_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.Bucket, Key: &key, RequestPayer: b.payer()}, option)
		return err
	})
}

// Page implements [remote.Lister].
func (b *bucket) Page(ctx context.Context, prefix, token string) (objects []store.Object, next string, err error) {
	in := &s3.ListObjectsV2Input{Bucket: &b.Bucket, Prefix: &prefix, RequestPayer: b.payer()}
	if token != "" {
		in.ContinuationToken = &token
	}
	var out *s3.ListObjectsV2Output
	err = b.send(ctx, true, func(client *s3.Client, option func(*s3.Options)) (err error) {
		out, err = client.ListObjectsV2(ctx, in, option)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	for _, o := range out.Contents {
		objects = append(objects, store.Object{Key: aws.ToString(o.Key), Bytes: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)})
	}
	if aws.ToBool(out.IsTruncated) {
		next = aws.ToString(out.NextContinuationToken)
	}
	return objects, next, nil
}
