// Package remote makes a [store.Store] of a service that is asked over a network, whatever its protocol: a driver says how
// one request is made, and this package moves files by such requests. So all remote stores retry, resume, time out, stop and
// report in the same way. Retries of a driver's library are turned off.
package remote
