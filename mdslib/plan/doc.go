// Package plan holds the lazy DataFrame plan and its expression language as plain data.
package plan
