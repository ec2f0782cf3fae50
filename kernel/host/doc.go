// Package host runs compiled notebook cells in a process of its own, the cell host, and is that process's client.
//
// [Session] is the client: it lives in the kernel's front process, compiles cells (package cell), sends the resulting
// plugins to the host and hands on what they print, show and return. [Main] is the host: `gomosaic host`, a process that
// loads the plugins and runs every cell on one goroutine locked to its OS thread. Compilation happens on the client's
// side on purpose: the type information of a session is then out of reach of whatever a cell does to its process, the
// host's memory holds the user's values only, and a new host needs no new import data.
package host
