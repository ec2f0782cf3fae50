// Package rt is what compiled cells lean on at run time. It is linked into the cell host and into every cell's plugin
// and every shipped program, where the one copy of the process is shared; so it imports the standard library only, and
// little of it. Users meet its [Context], [Check] and [Check1] under the names ctx, check and check1; everything else is
// called by code that the rewriter makes, or by the host.
//
// The package holds state, one of a kind in a process: plugins can find it in no other way than by symbol.
package rt
