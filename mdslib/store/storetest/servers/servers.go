package servers

// Servers as processes of the test.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// Server is a server at work. It ends with Close, and its folder stays.
type Server struct {
	URL     string // http://127.0.0.1:port
	command *exec.Cmd
	log     *bytes.Buffer
	ended   chan struct{}
}

// Close ends the server.
func (s *Server) Close() {
	s.command.Process.Kill()
	<-s.ended
}

// The credentials of the S3 server.
const (
	S3AccessKey = "gomosaicaccess"
	S3SecretKey = "gomosaic/secret+of=tests"
)

// S3 starts a server of S3's protocol (versitygw) that keeps its buckets, which exist already, in folders of root.
func S3(ctx context.Context, root string, buckets ...string) (*Server, error) {
	data, sidecar, users := filepath.Join(root, "data"), filepath.Join(root, "sidecar"), filepath.Join(root, "users")
	folders := []string{sidecar, users}
	for _, b := range buckets {
		folders = append(folders, filepath.Join(data, b))
	}
	for _, folder := range folders {
		if err := os.MkdirAll(folder, 0o777); err != nil {
			return nil, err
		}
	}
	return start(ctx, "servers.sh", func(folder, address string) *exec.Cmd {
		return exec.Command(filepath.Join(folder, "versitygw"), "--quiet", "--keep-alive", "--port", address, "--iam-dir", users,
			"--access", S3AccessKey, "--secret", S3SecretKey, "posix", "--sidecar", sidecar, data)
	})
}

// GCS starts an emulator of Google Cloud Storage (fake-gcs-server) that keeps its buckets, which exist already, in memory.
func GCS(ctx context.Context, buckets ...string) (*Server, error) {
	s, err := start(ctx, "servers.sh", func(folder, address string) *exec.Cmd {
		host, port, _ := net.SplitHostPort(address)
		return exec.Command(filepath.Join(folder, "fake-gcs-server"), "-scheme", "http", "-host", host, "-port", port, "-backend", "memory",
			"-public-host", address, "-log-level", "error")
	})
	if err != nil {
		return nil, err
	}
	for _, b := range buckets {
		answer, err := http.Post(s.URL+"/storage/v1/b?project=test", "application/json", strings.NewReader(fmt.Sprintf(`{"name":%q}`, b)))
		if err == nil {
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				err = errors.New(answer.Status)
			}
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("servers: bucket %s: %w", b, err)
		}
	}
	return s, nil
}

// The credentials of the Azure server.
const (
	AzureAccount = "gomosaicaccount"
	AzureKey     = "Z29tb3NhaWMvc2VjcmV0K2tleStvZit0aGUrdGVzdHM="
)

// AzureConnection is the connection string for an Azure server at an address.
func AzureConnection(address string) string {
	return fmt.Sprintf("DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;BlobEndpoint=%s/%[1]s", AzureAccount, AzureKey, address)
}

// Azure starts a server of Azure's blob storage (Azurite) that keeps its containers, which exist already, below root,
// or in memory if that is "".
func Azure(ctx context.Context, root string, containers ...string) (*Server, error) {
	s, err := start(ctx, "azurite.sh", func(folder, address string) *exec.Cmd {
		host, port, _ := net.SplitHostPort(address)
		cmd := exec.Command(filepath.Join(folder, "node"), filepath.Join(folder, "node_modules/azurite/dist/src/blob/main.js"),
			"--silent", "--disableTelemetry", "--skipApiVersionCheck", "--blobHost", host, "--blobPort", port)
		if root == "" {
			cmd.Args = append(cmd.Args, "--inMemoryPersistence")
		} else {
			cmd.Args = append(cmd.Args, "--location", root)
		}
		cmd.Env = append(os.Environ(), "AZURITE_ACCOUNTS="+AzureAccount+":"+AzureKey)
		return cmd
	})
	if err != nil {
		return nil, err
	}
	for _, name := range containers {
		c, err := container.NewClientFromConnectionString(AzureConnection(s.URL), name, nil)
		if err == nil {
			_, err = c.Create(ctx, nil)
		}
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("servers: container %s: %w", name, err)
		}
	}
	return s, nil
}

// start starts the server of a command from the folder that a script of setup makes, on a port that is free.
func start(ctx context.Context, script string, command func(folder, address string) *exec.Cmd) (*Server, error) {
	folder, err := programs(ctx, script)
	if err != nil {
		return nil, err
	}
	for attempt := 0; ; attempt++ {
		s, err := run(ctx, func(address string) *exec.Cmd { return command(folder, address) })
		if err == nil || attempt == 2 {
			return s, err
		}
	}
}

// programs runs a script of setup and returns the folder that it prints.
func programs(ctx context.Context, script string) (string, error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("servers: go env GOMOD: %w", err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(filepath.Dir(string(mod)), "setup", script))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("servers: setup/%s: %w", script, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// run starts a server and waits until it takes connections.
func run(ctx context.Context, command func(address string) *exec.Cmd) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := "127.0.0.1:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
	listener.Close()
	s := &Server{URL: "http://" + address, command: command(address), log: new(bytes.Buffer), ended: make(chan struct{})}
	s.command.Stdout, s.command.Stderr = s.log, s.log
	if err := s.command.Start(); err != nil {
		return nil, fmt.Errorf("servers: %w", err)
	}
	go func() {
		s.command.Wait()
		close(s.ended)
	}()
	const patience = 2 * time.Minute // a server that fails ends; one that has not begun by then hangs, however busy the machine
	for began := time.Now(); time.Since(began) < patience; {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return s, nil
		}
		select {
		case <-ctx.Done():
			s.Close()
			return nil, ctx.Err()
		case <-s.ended:
			return nil, fmt.Errorf("servers: %s ended: %s", s.command.Path, s.log)
		case <-time.After(50 * time.Millisecond):
		}
	}
	s.Close()
	return nil, fmt.Errorf("servers: %s takes no connections after %v: %s", s.command.Path, patience, s.log)
}
