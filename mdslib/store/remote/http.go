package remote

// What drivers that speak HTTP by themselves share.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxErrorBytes is how much of an answer that reports an error is read.
const maxErrorBytes = 64 << 10

// HTTPClient returns a client that uses the proxies of the environment, gives bytes as they are sent, follows redirects and
// takes no credentials along to another server.
func HTTPClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	Tune(transport)
	return &http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if len(via) >= 10 {
			return errors.New("stopped after 10 redirects")
		}
		// net/http would take them along to other ports and to subdomains.
		if from := via[0].URL; next.URL.Host != from.Host || next.URL.Scheme != from.Scheme && next.URL.Scheme != "https" {
			next.Header.Del("Authorization")
		}
		return nil
	}}
}

// DoHTTP makes one request. Its errors do not repeat the address, which may hold secrets.
func DoHTTP(client *http.Client, request *http.Request) (*http.Response, error) {
	answer, err := client.Do(request)
	if outer, ok := errors.AsType[*url.Error](err); ok {
		err = outer.Err
	}
	if err != nil && request.Context().Err() != nil {
		err = context.Cause(request.Context())
	}
	return answer, err
}

// HTTPError reads an answer that reports an error, and closes it. The driver's explain, if there is one, finds the code and
// the message in its body.
func HTTPError(answer *http.Response, explain func(status *StatusError, body []byte)) error {
	defer answer.Body.Close()
	status := &StatusError{Status: answer.StatusCode, RetryAfter: RetryAfter(answer.Header)}
	if explain != nil {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, maxErrorBytes)) // what arrived of it explains as much
		explain(status, body)
	}
	return status
}

// HTTPBody takes the content out of a successful answer to a GET request for what is wanted of an object, for [Reader]'s Open.
// The tag is the ETag or, where there is none that stands for the very bytes, Last-Modified.
func HTTPBody(answer *http.Response, wanted Span) (io.ReadCloser, Info, error) {
	info := Info{Bytes: answer.ContentLength, Ranges: answer.Header.Get("Accept-Ranges") == "bytes"}
	if etag := answer.Header.Get("ETag"); etag != "" && !strings.HasPrefix(etag, "W/") {
		info.Tag = etag
	} else {
		info.Tag = answer.Header.Get("Last-Modified")
	}
	switch {
	case answer.StatusCode == http.StatusPartialContent:
		first, total, err := contentRange(answer.Header.Get("Content-Range"))
		if err == nil && first != wanted.Offset {
			err = fmt.Errorf("the answer begins at byte %d, want %d", first, wanted.Offset)
		}
		if err != nil {
			answer.Body.Close()
			return nil, info, err
		}
		info.Bytes, info.Ranges = total, true
	case answer.StatusCode != http.StatusOK:
		answer.Body.Close()
		return nil, info, &StatusError{Status: answer.StatusCode}
	case !wanted.Whole(): // If-Range did not hold, or this server does not know ranges any more
		answer.Body.Close()
		return nil, info, ErrChanged
	}
	return answer.Body, info, nil
}

// contentRange reads "bytes 5-9/10"; the total is -1 for "bytes 5-9/*".
func contentRange(header string) (first, total int64, err error) {
	rest, ok := strings.CutPrefix(header, "bytes ")
	span, size, found := strings.Cut(rest, "/")
	begin, _, dash := strings.Cut(span, "-")
	first, err = strconv.ParseInt(begin, 10, 64)
	total = -1
	if err == nil && size != "*" {
		total, err = strconv.ParseInt(size, 10, 64)
	}
	if !ok || !found || !dash || err != nil {
		return 0, 0, fmt.Errorf("the answer has Content-Range %q", header)
	}
	return first, total, nil
}
