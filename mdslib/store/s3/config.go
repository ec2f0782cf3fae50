package s3

// What a store is opened with, and where that comes from.

import (
	"context"
	"os"
	"slices"
	"strings"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
)

// Config says which bucket is opened and how it is reached. What is left out is found as AWS's own tools find it, in the
// environment and in ~/.aws/config and ~/.aws/credentials.
type Config struct {
	Root   string // the URL, for errors
	Bucket string
	Prefix string // "" or ending in a slash

	Endpoint      string // of another service than AWS: buckets are then part of the path
	Region        string
	AccessKeyID   string // with SecretKey: these, and no other credentials
	SecretKey     string
	Keys          string // where AccessKeyID and SecretKey were found, for errors
	ACL           string // canned ACL of what is written, such as bucket-owner-full-control
	RequesterPays bool
	// SignsLess leaves Accept-Encoding unsigned: Google's servers change it on the way.
	SignsLess bool

	Policy remote.Policy
}

func init() {
	for _, scheme := range []string{"s3", "s3a"} { // s3a: as Hadoop, and Spark with it, spell it
		store.Register(scheme, func(ctx context.Context, url string) (store.Store, error) {
			c, err := parse(url, os.Getenv)
			if err != nil {
				return nil, err
			}
			return New(ctx, c)
		})
	}
	store.Register("oci", func(ctx context.Context, url string) (store.Store, error) {
		c, err := parseOCI(url, os.Getenv)
		if err != nil {
			return nil, err
		}
		return New(ctx, c)
	})
}

// parse reads s3://bucket/prefix and the environment variables of mosaicml-streaming. Everything after the bucket is taken
// as it stands: such URLs have no escapes.
func parse(url string, getenv func(string) string) (Config, error) {
	bucket, prefix, err := remote.SplitBucket(url)
	return Config{
		Root: url, Bucket: bucket, Prefix: prefix,
		Endpoint:      getenv("S3_ENDPOINT_URL"),
		ACL:           getenv("S3_CANNED_ACL"),
		RequesterPays: slices.Contains(strings.FieldsFunc(getenv("MOSAICML_STREAMING_AWS_REQUESTER_PAYS"), isSeparator), bucket),
	}, err
}

func isSeparator(r rune) bool { return r == ',' || r == ' ' }
