package host

import (
	"fmt"
	"os"
)

// Options say where a session's parts are. The zero value is right for an installed gomosaic run from its clone.
type Options struct {
	Binary      string     // gomosaic executable with the `host` subcommand; default os.Executable()
	ModuleDir   string     // folder of the module whose packages cells import: the clone of gomosaic; default the working directory
	MainPackage string     // import path of Binary's main package; default gomosaic/kernel/cmd/gomosaic
	Extension   *Extension // of a kernel built by BuildKernel; nil: none
	Dir         string     // working directory of the host; default the front's
	Env         []string   // additions to the host's environment, KEY=value
	CacheDir    string     // default os.UserCacheDir()/gomosaic
	CacheBytes  int64      // bound of what is kept in CacheDir and not in use; default [DefaultCacheBytes]
	OutputBytes int64      // text of one cell that is shown, the rest goes to a file in CacheDir; default 4 MiB
	StackBytes  int        // a goroutine's stack limit in the host; default 256 MiB
	// WholePlugins makes plugins hold all that a cell reaches, as Go's linker links them, also what the host has: each takes
	// megabytes and longer to link. It is there to compare.
	WholePlugins bool
}

// Output receives what a cell gives out. Its methods but Input are called in order, from one goroutine at a time; what background
// goroutines of a cell print after its end goes to the Output of the last cell.
type Output interface {
	Stream(name, text string)                                      // name is stdout or stderr
	Display(data, metadata, transient map[string]any, update bool) // display_data or update_display_data
	Result(data, metadata map[string]any)                          // execute_result; metadata["gomosaic"] holds {"type": T}
	ClearOutput(wait bool)
	// Payload adds to the payload of the cell's execute_reply, which asks the client for something: {"source":
	// "set_next_input", "text": code, "replace": true} or {"source": "page", "data": bundle, "start": 0}. It is called
	// before Execute returns.
	Payload(payload map[string]any)
	// Input asks the user for a line. It blocks, beside the other methods, and MUST return when the cell is interrupted or
	// has ended. Several calls may come at once.
	Input(prompt string, password bool) (string, error)
}

// withDefaults fills in what is left out.
func (o Options) withDefaults() (Options, error) {
	var err error
	if o.Binary == "" {
		if o.Binary, err = os.Executable(); err != nil {
			return o, fmt.Errorf("host: Options.Binary: %w", err)
		}
	}
	if o.ModuleDir == "" {
		if o.ModuleDir, err = os.Getwd(); err != nil {
			return o, fmt.Errorf("host: Options.ModuleDir: %w", err)
		}
	}
	if o.MainPackage == "" {
		o.MainPackage = "gomosaic/kernel/cmd/gomosaic"
	}
	if o.CacheDir == "" {
		if o.CacheDir, err = defaultCacheDir(); err != nil {
			return o, err
		}
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = DefaultCacheBytes
	}
	if o.OutputBytes == 0 {
		o.OutputBytes = defaultOutputBytes
	}
	if o.StackBytes == 0 {
		o.StackBytes = defaultStackBytes
	}
	return o, nil
}

// slimFor is the executable whose symbols plugins leave out, "" for whole plugins.
func (o Options) slimFor(host string) string {
	if o.WholePlugins {
		return ""
	}
	return host
}
