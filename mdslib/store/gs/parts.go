package gs

// Resumable uploads (https://cloud.google.com/storage/docs/performing-resumable-uploads).

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"gomosaic/mdslib/store/remote"
)

// session is the [remote.Parts] of a resumable upload. Its parts come in order.
type session struct {
	*bucket
	address string // of the session; who knows it may write
	bytes   int64  // of the object
}

// Begin implements [remote.PartWriter].
func (b *bucket) Begin(ctx context.Context, key string, bytes int64) (remote.Parts, error) {
	query := url.Values{"uploadType": {"resumable"}, "name": {key}}
	header := http.Header{"X-Upload-Content-Type": {"application/octet-stream"}, "X-Upload-Content-Length": {strconv.FormatInt(bytes, 10)}}
	answer, err := b.send(ctx, http.MethodPost, b.uploads()+"?"+query.Encode(), header, nil, 0, http.StatusOK, http.StatusCreated)
	if err != nil {
		return nil, err
	}
	s := &session{bucket: b, address: answer.Header.Get("Location"), bytes: bytes}
	if s.address == "" {
		return nil, fmt.Errorf("the server names no address for the upload's parts")
	}
	return s, drain(answer)
}

// Put implements [remote.Parts]. A part that failed is sent again from its beginning: the service ignores bytes that it has
// already.
func (s *session) Put(ctx context.Context, part remote.Part, body io.ReadSeeker) error {
	end := part.Offset + part.Bytes
	for at := part.Offset; at < end; {
		if _, err := body.Seek(at-part.Offset, io.SeekStart); err != nil {
			return err
		}
		arrived, whole, err := s.send(ctx, fmt.Sprintf("bytes %d-%d/%d", at, end-1, s.bytes), body, end-at)
		if err != nil || whole {
			return err
		}
		if arrived <= at {
			return fmt.Errorf("the server took none of %d bytes: %w", end-at, io.ErrUnexpectedEOF)
		}
		at = arrived
	}
	return nil
}

// send sends bytes of the object and returns how many of all have arrived; whole tells that the object is there.
func (s *session) send(ctx context.Context, contentRange string, body io.Reader, bytes int64) (arrived int64, whole bool, err error) {
	answer, err := s.bucket.send(ctx, http.MethodPut, s.address, http.Header{"Content-Range": {contentRange}}, body, bytes,
		http.StatusOK, http.StatusCreated, http.StatusPermanentRedirect)
	if err != nil {
		return 0, false, err
	}
	if answer.StatusCode != http.StatusPermanentRedirect { // 308 says here that more is to come
		return s.bytes, true, drain(answer)
	}
	if _, last, ok := strings.Cut(answer.Header.Get("Range"), "-"); ok {
		if arrived, err = strconv.ParseInt(last, 10, 64); err != nil {
			return 0, false, err
		}
		arrived++
	}
	return arrived, false, drain(answer)
}

// Complete implements [remote.Parts]: the last part has made the object.
func (s *session) Complete(context.Context) error { return nil }

// Abort implements [remote.Parts].
func (s *session) Abort(ctx context.Context) error {
	const clientClosed = 499 // what Google answers to it
	answer, err := s.bucket.send(ctx, http.MethodDelete, s.address, nil, nil, 0, clientClosed, http.StatusNoContent, http.StatusOK)
	if err != nil {
		return err
	}
	return drain(answer)
}
