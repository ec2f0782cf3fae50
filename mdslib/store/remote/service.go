package remote

// What a driver implements: single requests, each tried once.

import (
	"context"
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
	// Open begins to read an object at the given offset, to its end. With an offset > 0 the tag is that of an earlier answer,
	// and an object that has changed since is an error that wraps [ErrChanged]. The caller closes the body.
	Open(ctx context.Context, key string, offset int64, tag string) (io.ReadCloser, Info, error)
}

// Info is what an answer tells of the whole object.
type Info struct {
	Bytes  int64  // size of the object, not of what is left of it; -1 if the service does not say
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
