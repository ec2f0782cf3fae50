package gs

// What a store is opened with, and where that comes from.

import (
	"cmp"
	"context"
	"os"
	"strings"

	"gomosaic/mdslib/store"
	"gomosaic/mdslib/store/remote"
	"gomosaic/mdslib/store/s3"
)

const googleEndpoint = "https://storage.googleapis.com"

// Config says which bucket is opened and how it is reached.
type Config struct {
	Root   string // the URL, for errors
	Bucket string
	Prefix string // "" or ending in a slash

	Endpoint     string // "" for Google's
	Anonymous    bool   // no credentials: an emulator
	QuotaProject string // who is billed, if not the project of the credentials

	Policy remote.Policy
}

func init() {
	store.Register("gs", func(ctx context.Context, url string) (store.Store, error) {
		bucket, prefix, err := remote.SplitBucket(url)
		if err != nil {
			return nil, err
		}
		emulator := os.Getenv("STORAGE_EMULATOR_HOST") // Google's own name for it
		if emulator != "" && !strings.Contains(emulator, "://") {
			emulator = "http://" + emulator
		}
		if key, secret := os.Getenv("GCS_KEY"), os.Getenv("GCS_SECRET"); key != "" && secret != "" {
			return s3.New(ctx, hmac(url, bucket, prefix, cmp.Or(emulator, googleEndpoint), key, secret))
		}
		return New(Config{
			Root: url, Bucket: bucket, Prefix: prefix, Endpoint: emulator, Anonymous: emulator != "",
			QuotaProject: os.Getenv("GOOGLE_CLOUD_QUOTA_PROJECT"),
		}), nil
	})
}

// hmac is how a bucket is reached with an HMAC key: by S3's protocol, which Google's servers speak.
func hmac(url, bucket, prefix, endpoint, key, secret string) s3.Config {
	return s3.Config{
		Root: url, Bucket: bucket, Prefix: prefix, Endpoint: endpoint, Region: "auto",
		AccessKeyID: key, SecretKey: secret, Keys: "GCS_KEY and GCS_SECRET", SignsLess: true,
	}
}

// New opens the store of a bucket. It asks the network for nothing.
func New(c Config) store.Store {
	c.Endpoint = strings.TrimRight(cmp.Or(c.Endpoint, googleEndpoint), "/")
	b := &bucket{Config: c, client: remote.HTTPClient()}
	o := remote.Options{Root: c.Root, Prefix: c.Prefix, Policy: c.Policy, PartsInOrder: true, MaxParts: 1 << 30}
	if !c.Anonymous {
		b.credentials = new(credentials)
		o.Credentials, o.Secrets = b.describe, b.hidden
	}
	return remote.New(b, o)
}
