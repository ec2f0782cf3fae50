// Package gs is the driver of gs://, Google Cloud Storage. Importing it makes the scheme known to package store; the
// kernel's process and the command line link it, so that cells do not.
//
// Requests are those of the JSON API, of which a store needs six; Google's own client would add 5 MB to the program (of the
// JSON API) or 30 MB (cloud.google.com/go/storage) and repeats requests by rules of its own. Credentials are found by
// Google's library.
package gs
