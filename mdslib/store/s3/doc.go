// Package s3 is the driver of s3:// and of oci://, Oracle's object storage by its S3-compatible endpoint. Importing it makes
// the two schemes known to package store; the kernel's process and the command line link it, so that cells do not.
package s3
