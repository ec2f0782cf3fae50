// Package azure is the driver of azure:// and azure-dl://, Azure's blob storage and Data Lake Storage. Importing it makes
// the two schemes known to package store; the kernel's process and the command line link it, so that cells do not.
package azure
