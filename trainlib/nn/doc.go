// Package nn holds neural-network modules and losses.
package nn
