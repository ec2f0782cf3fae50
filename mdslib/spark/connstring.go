package spark

// Connection strings: sc://host:port/;key=value;… as PySpark's DefaultChannelBuilder reads them.

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"

	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
)

// defaultPort is that of a Spark Connect server.
const defaultPort = "15002"

// target says which server to talk to and as whom. It prints without its secrets.
type target struct {
	host, port string
	tls        bool
	token      string                                    // sent as "authorization: Bearer"
	fetch      func(ctx context.Context) (string, error) // gives tokens that run out, in place of token; nil without
	user       string
	session    string // a UUID; "" for a new one
	agent      string
	maxMessage int         // bytes of the largest message
	headers    metadata.MD // all other parameters
}

// address is host:port.
func (t *target) address() string { return net.JoinHostPort(t.host, t.port) }

// String is the connection string without its parameters, some of which are secret.
func (t *target) String() string { return "sc://" + t.address() }

// loopback tells whether the server is on this machine, as far as its name tells.
func (t *target) loopback() bool {
	ip := net.ParseIP(t.host)
	return strings.EqualFold(t.host, "localhost") || ip != nil && ip.IsLoopback()
}

// parseTarget reads a connection string. The parameters are Spark's: token, use_ssl, user_id, user_agent, session_id and
// grpc_max_message_size; every other one, such as x-databricks-cluster-id, becomes a header of all requests. A token,
// which may come from $SPARK_CONNECT_AUTHENTICATE_TOKEN, means TLS but for a server on this machine. Errors name the
// part, and no value that may be secret.
func parseTarget(text string) (*target, error) {
	bad := func(format string, args ...any) (*target, error) {
		return nil, fmt.Errorf("spark: connection string: "+format+" (want sc://host:port/;key=value;…)", args...)
	}
	rest, ok := strings.CutPrefix(text, "sc://")
	if !ok {
		return bad("it does not begin with sc://")
	}
	place, parameters, _ := strings.Cut(rest, ";")
	place, path, _ := strings.Cut(place, "/")
	switch {
	case path != "":
		return bad("after the port comes more than a slash: parameters follow it, with a semicolon before each")
	case strings.ContainsAny(place, "@?#"):
		return bad("the host holds one of @ ? #; a token is given as ;token=…")
	}
	t := &target{
		host: place, port: defaultPort, token: os.Getenv("SPARK_CONNECT_AUTHENTICATE_TOKEN"), user: userName(), agent: "gomosaic",
		maxMessage: math.MaxInt32, headers: metadata.MD{},
	}
	if host, port, err := net.SplitHostPort(place); err == nil {
		t.host, t.port = host, port
	} else if strings.HasPrefix(place, "[") {
		t.host = strings.Trim(place, "[]")
	} else if strings.Contains(place, ":") {
		return bad("the host and port %q: an IPv6 address stands in brackets", place)
	}
	if t.host == "" {
		return bad("the host is missing")
	}
	if n, err := strconv.ParseUint(t.port, 10, 16); err != nil || n == 0 {
		return bad("the port %q is no number from 1 to 65535", t.port)
	}
	if agent := os.Getenv("SPARK_CONNECT_USER_AGENT"); agent != "" {
		t.agent = agent
	}
	ssl := ""
	for parameter := range strings.SplitSeq(parameters, ";") {
		if parameter == "" {
			continue
		}
		key, value, ok := strings.Cut(parameter, "=")
		if !ok || key == "" {
			return bad("a parameter without = or name, after %q", strings.TrimRight(key[:min(len(key), 4)], "=")+"…")
		}
		value, err := url.PathUnescape(value)
		if err != nil {
			return bad("parameter %s: a %% that begins no escape", key)
		}
		switch key {
		case "token":
			t.token = value
		case "use_ssl":
			if ssl = strings.ToLower(value); ssl != "true" && ssl != "false" {
				return bad("parameter use_ssl is %q, want true or false", value)
			}
		case "user_id":
			t.user = value
		case "user_agent":
			if t.agent = value; len(url.PathEscape(value)) > 2048 {
				return bad("parameter user_agent: more than 2048 characters")
			}
		case "session_id":
			id, err := uuid.Parse(value)
			if err != nil {
				return bad("parameter session_id is no UUID")
			}
			t.session = id.String()
		case "grpc_max_message_size":
			if t.maxMessage, err = strconv.Atoi(value); err != nil || t.maxMessage < 1 {
				return bad("parameter grpc_max_message_size is %q, want a number of bytes", value)
			}
		default:
			if strings.ContainsFunc(key, notInHeader) {
				return bad("parameter %q cannot be a header's name", key)
			}
			t.headers.Append(strings.ToLower(key), value)
		}
	}
	t.tls = ssl == "true" || ssl == "" && t.token != "" && !t.loopback()
	if ssl == "false" && t.token != "" && !t.loopback() {
		return bad("use_ssl=false with a token, which would go to %s in the clear", t.host)
	}
	t.agent = fmt.Sprintf("%s os/%s go/%s", t.agent, runtime.GOOS, strings.TrimPrefix(runtime.Version(), "go"))
	return t, nil
}

// notInHeader tells the characters that gRPC's metadata keys cannot have.
func notInHeader(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r))
}

// userName is the user that Spark accounts the session to.
func userName() string {
	if name := os.Getenv("SPARK_USER"); name != "" {
		return name
	}
	return os.Getenv("USER")
}
