// Package kernel is the Jupyter kernel's front process: it owns the sockets and answers clients, while the cells
// themselves run in the cell host, a process of its own (package host).
//
// [Serve] runs one kernel. Requests that need no cell (kernel_info, complete, inspect, is_complete, history, comm_info)
// are answered while a cell runs; cells run one after the other in the order in which they arrived. The front outlives
// the host: when a cell kills the host, its client reads the reason in that cell and the next cell runs in a new host.
//
// The package also installs kernelspecs ([Install], [Uninstall]) and finds out what a machine lacks ([Doctor]).
package kernel
