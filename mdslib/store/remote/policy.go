package remote

// Which requests are made again, when, and for how long one may stand still.

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Policy says how requests are repeated and files are cut. The zero value is what users get; tests have shorter times.
//
// Tried again are: broken and refused connections, answers that end too early, requests that stand still, and the statuses
// 408, 429 and 5xx, but for those that say that the server can't do it at all, such as 501 and 507. Not tried again is what another attempt cannot mend: other statuses, names that do not
// resolve, certificates that are not trusted.
type Policy struct {
	Attempts   int           // of one request, at most; 0 means 6
	FirstPause time.Duration // before the second attempt, doubled before each other one; the pause taken is between half of it and all of it. 0 means 500 ms
	MaxPause   time.Duration // 0 means 20 s; also the most that a server's Retry-After is followed for
	Stall      time.Duration // a request that moves no byte for so long is given up and tried again; 0 means 60 s
	PartBytes  int64         // files larger than this are moved in parts of this size; 0 means 16 MiB
	Parallel   int           // parts of one file on their way at once; 0 means 4
}

func (p Policy) withDefaults() Policy {
	p.Attempts = cmp.Or(p.Attempts, 6)
	p.FirstPause = cmp.Or(p.FirstPause, 500*time.Millisecond)
	p.MaxPause = cmp.Or(p.MaxPause, 20*time.Second)
	p.Stall = cmp.Or(p.Stall, time.Minute)
	p.PartBytes = cmp.Or(p.PartBytes, 16<<20)
	p.Parallel = cmp.Or(p.Parallel, 4)
	return p
}

// ErrStalled is wrapped by the error of a request that moved no byte for as long as [Policy] allows.
var ErrStalled = errors.New("no byte moved before the time-out")

// ErrChanged is wrapped by the error of a request for the rest of an object that is another one by now.
var ErrChanged = errors.New("the object was replaced while it was read")

// do makes a request until it succeeds or no other attempt may help. The request calls moved whenever a byte has moved.
func (p Policy) do(ctx context.Context, request func(ctx context.Context, moved func()) error) error {
	for attempt := 1; ; attempt++ {
		err := p.once(ctx, request)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return contextError(ctx)
		}
		if attempt >= p.Attempts || !temporary(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return contextError(ctx)
		case <-time.After(p.pause(attempt, err)):
		}
	}
}

// once makes a request and ends it when it stands still.
func (p Policy) once(ctx context.Context, request func(ctx context.Context, moved func()) error) error {
	attempt, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	clock := time.AfterFunc(p.Stall, func() { cancel(ErrStalled) })
	defer clock.Stop()
	err := request(attempt, func() { clock.Reset(p.Stall) })
	if err != nil && ctx.Err() == nil && context.Cause(attempt) == ErrStalled {
		return fmt.Errorf("%w (%v)", ErrStalled, p.Stall)
	}
	return err
}

// pause is how long to wait after a failed attempt: the server's own word and a bit, or twice as long each time with half of it.
// The bit and the half are left to chance, so that many clients do not return together.
func (p Policy) pause(attempt int, err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) && status.RetryAfter > 0 {
		return min(status.RetryAfter, p.MaxPause) + rand.N(p.FirstPause+1)
	}
	pause := p.MaxPause
	if attempt < 30 {
		pause = min(p.FirstPause<<(attempt-1), p.MaxPause)
	}
	return pause/2 + rand.N(pause/2+1)
}

// contextError is the context's error with its cause.
func contextError(ctx context.Context) error {
	if cause := context.Cause(ctx); !errors.Is(cause, ctx.Err()) {
		return fmt.Errorf("%w: %w", ctx.Err(), cause)
	}
	return context.Cause(ctx)
}

// temporary tells whether another attempt may succeed.
func temporary(err error) bool {
	var status *StatusError
	var dns *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var local *fs.PathError
	var network net.Error
	switch {
	case errors.As(err, &status):
		return status.temporary()
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errors.ErrUnsupported), errors.As(err, &untrusted), errors.As(err, &local):
		return false
	case errors.As(err, &dns):
		return !dns.IsNotFound
	case errors.Is(err, ErrStalled), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNABORTED), errors.Is(err, syscall.EPIPE):
		return true
	}
	return errors.As(err, &network) || slices.ContainsFunc(brokenConnections, func(text string) bool { return strings.Contains(err.Error(), text) })
}

// brokenConnections are net/http's errors that have no type or value to tell them by.
var brokenConnections = []string{"http: server closed idle connection", "http2: ", "stream error: ", "transport connection broken"}
