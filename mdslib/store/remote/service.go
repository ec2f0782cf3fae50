package remote

// What a driver implements: single requests, each tried once.

import (
	"context"
	"fmt"
	"io"

	"gomosaic/mdslib/store"
)

// Reader is a service that objects are read from; every driver is one. What it can do besides, it tells by implementing
// [Writer], [PartWriter] and [Lister].
//
// All methods are called concurrently and MUST return when the context is done. Keys have passed [store.CheckKey] and have
// [Options.Prefix] before them. Errors that a request may be tried again for are broken connections and a [StatusError]
// whose status says so; texts may hold secrets, they are scrubbed before anyone sees them.
type Reader interface {
	// Open begins to read an object: the whole of it, or what is wanted. In the latter case the tag is that of an earlier
	// answer, and an object that has changed since is an error that wraps [ErrChanged]. The caller closes the body; more may
	// come than was wanted.
	Open(ctx context.Context, key string, wanted Span, tag string) (io.ReadCloser, Info, error)
}

// Span is a piece of an object; the zero value is the whole.
type Span struct {
	Offset int64
	Bytes  int64 // 0 means to the end
}

// Whole tells whether nothing is left out.
func (s Span) Whole() bool { return s == Span{} }

// Range is the span as a header of that name has it in HTTP; only for a span that is not the whole.
func (s Span) Range() string {
	if s.Bytes == 0 {
		return fmt.Sprintf("bytes=%d-", s.Offset)
	}
	return fmt.Sprintf("bytes=%d-%d", s.Offset, s.Offset+s.Bytes-1)
}

// Info is what an answer tells of the whole object.
type Info struct {
	Bytes  int64  // size of the whole object; -1 if the service does not say. Only asked for when the whole was
	Tag    string // changes with the content, for example an ETag; "" if there is none
	Ranges bool   // whether reading may begin at any offset
}

// Writer is a service that objects can be written to.
type Writer interface {
	// Upload stores an object of so many bytes by one request, replacing it. The object appears whole or not at all.
	Upload(ctx context.Context, key string, body io.ReadSeeker, bytes int64) error

	// Delete removes an object; one that is not there may be an error that wraps fs.ErrNotExist, or none.
	Delete(ctx context.Context, key string) error
}

// PartWriter is a Writer that takes large objects in parts.
type PartWriter interface {
	Writer

	// Begin begins an upload of so many bytes. Nothing is seen of it before Complete. An error of Begin or Put that wraps
	// errors.ErrUnsupported says that the object must be stored by Upload.
	Begin(ctx context.Context, key string, bytes int64) (Parts, error)
}

// Parts is an upload in parts under way.
type Parts interface {
	// Put uploads one part, again after a failure. Parts come in any order and side by side, but see Options.PartsInOrder;
	// an upload that alone wants them in order has a method InOrder() bool.
	Put(ctx context.Context, part Part, body io.ReadSeeker) error

	// Complete makes the object of the parts.
	Complete(ctx context.Context) error

	// Abort gives the upload up and frees its parts; Complete may have been called, without success.
	Abort(ctx context.Context) error
}

// Part is a piece of an object.
type Part struct {
	Number        int // from 1
	Offset, Bytes int64
	Last          bool
}

// Lister is a service that lists objects.
type Lister interface {
	// Page returns some of the objects whose keys start with prefix, and the token of the next page: "" for the first one,
	// and "" after the last one. Keys are in byte order throughout, but see Options.Unsorted.
	Page(ctx context.Context, prefix, token string) (objects []store.Object, next string, err error)
}
