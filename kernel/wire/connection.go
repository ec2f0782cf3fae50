package wire

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
)

// Connection is a connection file: where the five sockets listen and the key that signs their messages.
type Connection struct {
	Transport       string `json:"transport"` // tcp or ipc
	IP              string `json:"ip"`        // for ipc the path that the port is appended to
	ShellPort       int    `json:"shell_port"`
	ControlPort     int    `json:"control_port"`
	StdinPort       int    `json:"stdin_port"`
	IOPubPort       int    `json:"iopub_port"`
	HeartbeatPort   int    `json:"hb_port"`
	Key             string `json:"key"`
	SignatureScheme string `json:"signature_scheme"`
	KernelName      string `json:"kernel_name,omitempty"`
}

// ReadConnection reads the connection file that Jupyter wrote.
func ReadConnection(path string) (Connection, error) {
	var c Connection
	b, err := os.ReadFile(path)
	if err != nil {
		return c, fmt.Errorf("wire: connection file: %w", err)
	}
	if err := json.Unmarshal(b, &c); err != nil {
		return c, fmt.Errorf("wire: connection file %s: %w", path, err)
	}
	return c, nil
}

// listen opens the address of one of the five ports.
func (c Connection) listen(port int) (net.Listener, error) {
	switch c.Transport {
	case "tcp", "":
		return net.Listen("tcp", net.JoinHostPort(c.IP, strconv.Itoa(port)))
	case "ipc":
		return net.Listen("unix", c.IP+"-"+strconv.Itoa(port))
	}
	return nil, fmt.Errorf("wire: transport %q is not supported, only tcp and ipc", c.Transport)
}
