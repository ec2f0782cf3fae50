package spark

// When a request is made again, and after how long.

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// retryPolicy is how often and how fast requests are made again: PySpark's DefaultPolicy.
type retryPolicy struct {
	retries     int
	first, most time.Duration
	factor      int
}

var defaultPolicy = retryPolicy{retries: 15, first: 50 * time.Millisecond, most: time.Minute, factor: 4}

// retrying is one request's account with its policy. Its end must be called.
type retrying struct {
	retryPolicy
	server *target
	done   int
	wait   time.Duration
	quiet  func() // ends what tells of long waits; nil before the first
}

func (p retryPolicy) begin(server *target) *retrying {
	return &retrying{retryPolicy: p, server: server, wait: p.first}
}

// longWait is the wait from which on whoever watches is told that the server does not answer: all of them take some eleven minutes.
const longWait = time.Second

func (r *retrying) end() {
	if r.quiet != nil {
		r.quiet()
	}
}

// again waits before the next try and reports whether there is one: not if err is final, the tries are used up, or ctx ends.
func (r *retrying) again(ctx context.Context, err error) bool {
	if ctx.Err() != nil || !transient(err) || r.done >= r.retries {
		return false
	}
	r.done++
	wait := max(r.wait, serverDelay(err))
	r.wait = min(r.wait*time.Duration(r.factor), r.most)
	if wait >= 2*time.Second {
		wait += rand.N(500 * time.Millisecond)
	}
	if wait >= longWait && r.quiet == nil {
		watcher := watched(r.server.String() + " does not answer, trying again")
		stop := beating(watcher)
		r.quiet = func() { stop(); watcher.End(nil) }
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

// errEnded stands for a stream that ended without a result or a server that does not know the operation yet: try again.
var errEnded = status.Error(codes.Unavailable, "the stream ended without a result")

// transient tells the failures of the network and of busy servers from those that would come again.
func transient(err error) bool {
	s, ok := status.FromError(err)
	if !ok {
		return false
	}
	switch s.Code() {
	case codes.Unavailable:
		return true
	case codes.Internal:
		// Another stream took the result over, as after a connection that the server does not know to be dead yet.
		return strings.Contains(s.Message(), "INVALID_CURSOR.DISCONNECTED")
	}
	return retryInfo(s) != nil
}

func retryInfo(s *status.Status) *errdetails.RetryInfo {
	for _, d := range s.Details() {
		if info, ok := d.(*errdetails.RetryInfo); ok {
			return info
		}
	}
	return nil
}

// serverDelay is how long the server asks to wait, ten minutes at most.
func serverDelay(err error) time.Duration {
	if info := retryInfo(status.Convert(err)); info != nil {
		return min(info.GetRetryDelay().AsDuration(), 10*time.Minute)
	}
	return 0
}
