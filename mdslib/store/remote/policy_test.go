package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestTemporary(t *testing.T) {
	yes := []error{
		&StatusError{Status: 429}, &StatusError{Status: 500}, &StatusError{Status: 502}, &StatusError{Status: 503}, &StatusError{Status: 504}, &StatusError{Status: 408}, &StatusError{Status: 522},
		&net.OpError{Op: "read", Err: syscall.ECONNRESET}, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, io.ErrUnexpectedEOF, io.EOF, ErrStalled,
		&net.DNSError{Err: "server misbehaving", IsTemporary: true},
		errors.New("http: server closed idle connection"), errors.New("stream error: stream ID 5; INTERNAL_ERROR; received from peer"), errors.New("http2: client connection lost"),
	}
	no := []error{
		&StatusError{Status: 400}, &StatusError{Status: 401}, &StatusError{Status: 403}, &StatusError{Status: 404}, &StatusError{Status: 501}, &StatusError{Status: 507}, &StatusError{Status: 409}, &StatusError{Status: 412},
		&net.DNSError{Err: "no such host", IsNotFound: true}, &net.OpError{Op: "dial", Err: &tls.CertificateVerificationError{}},
		&fs.PathError{Op: "write", Err: syscall.ENOSPC}, ErrChanged, errors.New("what is this"),
	}
	for _, err := range yes {
		if !temporary(err) {
			t.Errorf("%v: not tried again", err)
		}
	}
	for _, err := range no {
		if temporary(err) {
			t.Errorf("%v: tried again", err)
		}
	}
}

// TestPauses: they double from a half to 20 s, with half of each left to chance, or are as long as the server says.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Duration
		start := time.Now()
		err := Policy{Attempts: 9}.withDefaults().do(t.Context(), func(context.Context, func()) error {
			times = append(times, time.Since(start))
			start = time.Now()
			return &StatusError{Status: 503}
		})
		var status *StatusError
		if !errors.As(err, &status) || len(times) != 9 {
			t.Fatalf("%d attempts, then %v", len(times), err)
		}
		longest := []float64{0, 0.5, 1, 2, 4, 8, 16, 20, 20}
		for i, d := range times {
			if s := d.Seconds(); s < longest[i]/2 || s > longest[i]+1e-6 {
				t.Errorf("pause %d is %v, want %v s or down to half of it", i, d, longest[i])
			}
		}
		start = time.Now()
		Policy{Attempts: 2}.withDefaults().do(t.Context(), func(context.Context, func()) error {
			return &StatusError{Status: 429, RetryAfter: 7 * time.Second}
		})
		if d := time.Since(start); d < 7*time.Second || d > 7500*time.Millisecond {
			t.Errorf("waited %v, the server had asked for 7 s", d)
		}
	})
}

// TestStall: a request is given up when it moves nothing for a minute, however long it takes if it moves.
func TestStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := Policy{Attempts: 1}.withDefaults().do(t.Context(), func(ctx context.Context, moved func()) error {
			for range 10 {
				time.Sleep(50 * time.Second)
				moved()
			}
			<-ctx.Done()
			return ctx.Err()
		})
		if d := time.Since(start); !errors.Is(err, ErrStalled) || d != 560*time.Second {
			t.Errorf("after %v: %v", d, err)
		}
	})
}

// slow is a service that makes an object of its parts in nine minutes, without a word.
type slow struct{ completed int }

func (s *slow) Open(context.Context, string, Span, string) (io.ReadCloser, Info, error) {
	return nil, Info{}, errors.ErrUnsupported
}
func (s *slow) Upload(context.Context, string, io.ReadSeeker, int64) error {
	return errors.ErrUnsupported
}
func (s *slow) Delete(context.Context, string) error                { return nil }
func (s *slow) Begin(context.Context, string, int64) (Parts, error) { return s, nil }
func (s *slow) Put(context.Context, Part, io.ReadSeeker) error      { return nil }
func (s *slow) Abort(context.Context) error                         { return nil }
func (s *slow) Complete(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(9 * time.Minute):
		s.completed++
		return nil
	}
}

// TestSlowCompletion: what stands still while an object is made of its parts is waited for.
func TestSlowCompletion(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, 100), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		service := new(slow)
		if err := New(service, Options{Root: "test://x", Policy: Policy{PartBytes: 40}}).Put(t.Context(), file, "k"); err != nil || service.completed != 1 {
			t.Errorf("completed %d times: %v", service.completed, err)
		}
	})
}

// TestCancelWhilePausing: the context ends the wait, and its cause is told.
func TestCancelWhilePausing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("the cell was interrupted")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		start := time.Now()
		err := Policy{FirstPause: time.Hour, MaxPause: time.Hour}.withDefaults().do(ctx, func(context.Context, func()) error { return io.EOF })
		if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || time.Since(start) != time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for value, want := range map[string]time.Duration{
			"": 0, "3": 3 * time.Second, "-1": 0, "soon": 0, time.Now().Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute,
		} {
			if got := RetryAfter(http.Header{"Retry-After": {value}}); got != want {
				t.Errorf("%q: %v, want %v", value, got, want)
			}
		}
	})
}

func TestScrub(t *testing.T) {
	for text, want := range map[string]string{
		"GET https://a.blob.core.windows.net/c/k?sv=2024&sig=aB%2Bc%3D&se=1: reset":             "GET https://a.blob.core.windows.net/c/k?sv=2024&sig=…&se=1: reset",
		"https://b.s3.amazonaws.com/k?X-Amz-Credential=AKIA/x&X-Amz-Signature=0af&X-Amz-Date=1": "https://b.s3.amazonaws.com/k?X-Amz-Credential=…&X-Amz-Signature=…&X-Amz-Date=1",
		"DefaultEndpointsProtocol=https;AccountName=n;AccountKey=abc+/==;EndpointSuffix=x":      "DefaultEndpointsProtocol=https;AccountName=n;AccountKey=…;EndpointSuffix=x",
		`{"access_token":"ya29.abc","expires_in":3599}`:                                         `{"access_token":"…","expires_in":3599}`,
		"Authorization: Bearer abc.def":                                                         "Authorization: Bearer …",
		"400 Bad Request: ExpiredToken: The provided token has expired":                         "400 Bad Request: ExpiredToken: The provided token has expired",
		"X-Amz-Security-Token: abc, password: hush":                                             "X-Amz-Security-Token: …, password: …",
		"sftp://me:hush@host/x":                              "sftp://me:…@host/x",
		"key open-sesame! and open%20sesame and open sesame": "key … and … and …",
		"store: s3://bucket/folder/shard.00000.mds: 404 Not Found: NoSuchKey: the key does not exist":     "store: s3://bucket/folder/shard.00000.mds: 404 Not Found: NoSuchKey: the key does not exist",
		"credentials: AWS_ACCESS_KEY_ID (not set), the profile default (~/.aws/credentials is not there)": "credentials: AWS_ACCESS_KEY_ID (not set), the profile default (~/.aws/credentials is not there)",
	} {
		if got := Scrub(text, "open-sesame!", "open sesame", ""); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if strings.Contains(Scrub("a=b", "a"), hidden) {
		t.Error("a secret of one letter takes it out everywhere")
	}
}

// TestPartSizes: parts cover a file whatever its size, within the number that a service takes.
func TestPartSizes(t *testing.T) {
	for _, c := range []struct {
		bytes int64
		parts int
	}{{0, 1}, {1, 1}, {16 << 20, 1}, {16<<20 + 1, 2}, {5<<30 + 1, 321}, {5 << 40, 9987}} {
		s := bucket{Options: Options{MaxParts: 10_000, Policy: Policy{}.withDefaults()}}
		parts := cut(c.bytes, s.partBytes(c.bytes))
		next := int64(0)
		for i, p := range parts {
			if p.Number != i+1 || p.Offset != next || p.Last != (i == len(parts)-1) || p.Bytes <= 0 && c.bytes > 0 {
				t.Fatalf("%d bytes: part %+v after %d", c.bytes, p, next)
			}
			next += p.Bytes
		}
		if next != c.bytes || len(parts) != c.parts {
			t.Errorf("%d bytes: %d parts of %d bytes, want %d", c.bytes, len(parts), next, c.parts)
		}
	}
}
