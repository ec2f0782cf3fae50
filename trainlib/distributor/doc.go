// Package distributor launches ranks.
package distributor
