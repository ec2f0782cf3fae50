package spark

// Files that a session sends to Spark once, and that every executor then has: programs, and what they read.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path"
	"sync"

	"gomosaic/mdslib/spark/pb"
)

// artifact is a file for executors. Its name is unique to its content, so that one that was sent need not be sent again, and
// tasks that find the name have found the content.
type artifact struct {
	path string // "files/NAME", as the server knows it
	size int64
	open func() (io.ReadCloser, error)
}

// name is what the file is called on an executor. It needs no quotes in a shell.
func (a artifact) name() string { return path.Base(a.path) }

// fileArtifact is the artifact of a local file, which is read now, for its name, unless that was done before and it is as it was,
// and again when it is sent.
func (c *client) fileArtifact(prefix, file string) (artifact, error) {
	f, err := os.Open(file)
	if err != nil {
		return artifact{}, fmt.Errorf("spark: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return artifact{}, fmt.Errorf("spark: %w", err)
	}
	known, ok := c.artifacts.hashed.Load(file)
	h, _ := known.(hashedFile)
	if !ok || !os.SameFile(h.info, info) || h.info.Size() != info.Size() || !h.info.ModTime().Equal(info.ModTime()) {
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return artifact{}, fmt.Errorf("spark: %s: %w", file, err)
		}
		h = hashedFile{info, sum.Sum(nil)}
		c.artifacts.hashed.Store(file, h)
	}
	return artifact{filePath(prefix, h.sum), info.Size(), func() (io.ReadCloser, error) { return os.Open(file) }}, nil
}

// hashedFile is what a file was when its hash was taken.
type hashedFile struct {
	info os.FileInfo
	sum  []byte
}

// dataArtifact is the artifact of bytes, which must not change.
func dataArtifact(prefix string, data []byte) artifact {
	sum := sha256.Sum256(data)
	return artifact{filePath(prefix, sum[:]), int64(len(data)), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// filePath is the path of a file of some content for executors.
func filePath(prefix string, sum []byte) string {
	return "files/" + prefix + "-" + hex.EncodeToString(sum[:12])
}

// artifactChunk is how much of a file goes into one message. A server takes 128 MB; proxies between may take less than 4 MiB.
const artifactChunk = 1 << 20

// sentArtifacts are the paths of what the server of a session has.
type sentArtifacts struct {
	mu     sync.Mutex // held while sending, so that nothing is sent twice
	paths  map[string]bool
	hashed sync.Map // from a file's path to its hashedFile
}

// send sends those artifacts that the session has not sent yet.
func (c *client) send(ctx context.Context, artifacts ...artifact) error {
	c.artifacts.mu.Lock()
	defer c.artifacts.mu.Unlock()
	for _, a := range artifacts {
		if c.artifacts.paths[a.path] {
			continue
		}
		answer, err := request(ctx, c, func(ctx context.Context) (*pb.AddArtifactsResponse, error) { return c.add(ctx, a) })
		if err != nil {
			return fmt.Errorf("spark: sending %s to the server: %w", a.name(), err)
		}
		arrived := false
		for _, summary := range answer.Artifacts {
			arrived = arrived || summary.Name == a.path && summary.IsCrcSuccessful
		}
		if !arrived {
			return fmt.Errorf("spark: sending %s to the server: it did not arrive as it was sent", a.name())
		}
		if c.artifacts.paths == nil {
			c.artifacts.paths = map[string]bool{}
		}
		c.artifacts.paths[a.path] = true
	}
	return nil
}

// forgetArtifacts makes send send everything again, to a server that has lost what it had.
func (c *client) forgetArtifacts() {
	c.artifacts.mu.Lock()
	defer c.artifacts.mu.Unlock()
	c.artifacts.paths = nil
}

// add sends one artifact.
func (c *client) add(ctx context.Context, a artifact) (*pb.AddArtifactsResponse, error) {
	ctx, cancel := context.WithCancel(ctx) // ends the stream where we leave early
	defer cancel()
	in, err := a.open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	stream, err := c.rpc.AddArtifacts(ctx)
	if err != nil {
		return nil, err
	}
	chunks := max(1, (a.size+artifactChunk-1)/artifactChunk)
	buffer := make([]byte, min(a.size, artifactChunk))
	left := a.size
	for i := range chunks {
		data := buffer[:min(left, artifactChunk)]
		if _, err := io.ReadFull(in, data); err != nil {
			return nil, fmt.Errorf("it has changed while it was read: %w", err)
		}
		left -= int64(len(data))
		chunk := &pb.AddArtifactsRequest_ArtifactChunk{Data: data, Crc: int64(crc32.ChecksumIEEE(data))}
		r := &pb.AddArtifactsRequest{SessionId: c.session, UserContext: c.user, ClientType: &c.target.agent, ClientObservedServerSideSessionId: c.observed.Load()}
		switch {
		case chunks == 1: // of one chunk no server takes BeginChunk
			r.Payload = &pb.AddArtifactsRequest_Batch_{Batch: &pb.AddArtifactsRequest_Batch{
				Artifacts: []*pb.AddArtifactsRequest_SingleChunkArtifact{{Name: a.path, Data: chunk}},
			}}
		case i == 0:
			r.Payload = &pb.AddArtifactsRequest_BeginChunk{BeginChunk: &pb.AddArtifactsRequest_BeginChunkedArtifact{
				Name: a.path, TotalBytes: a.size, NumChunks: chunks, InitialChunk: chunk,
			}}
		default:
			r.Payload = &pb.AddArtifactsRequest_Chunk{Chunk: chunk}
		}
		if err := stream.Send(r); err != nil {
			break // the reason is what the server answers
		}
	}
	return stream.CloseAndRecv()
}
