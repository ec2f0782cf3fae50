package spark

import (
	"bytes"
	"hash/crc32"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"gomosaic/mdslib/spark/pb"
)

// AddArtifacts takes a file as a server does, and answers what the test says.
func (f *fake) AddArtifacts(s grpc.ClientStreamingServer[pb.AddArtifactsRequest, pb.AddArtifactsResponse]) error {
	var got pb.AddArtifactsResponse_ArtifactSummary
	var data []byte
	chunks := int64(0)
	for {
		r, err := s.Recv()
		if err != nil {
			break
		}
		var chunk *pb.AddArtifactsRequest_ArtifactChunk
		switch p := r.Payload.(type) {
		case *pb.AddArtifactsRequest_Batch_:
			got.Name, chunk, chunks = p.Batch.Artifacts[0].Name, p.Batch.Artifacts[0].Data, 1
		case *pb.AddArtifactsRequest_BeginChunk:
			got.Name, chunk, chunks = p.BeginChunk.Name, p.BeginChunk.InitialChunk, p.BeginChunk.NumChunks
		case *pb.AddArtifactsRequest_Chunk:
			chunk = p.Chunk
		}
		chunks--
		data = append(data, chunk.Data...)
		got.IsCrcSuccessful = chunk.Crc == int64(crc32.ChecksumIEEE(chunk.Data))
	}
	if chunks != 0 {
		return status.Error(codes.InvalidArgument, "the chunks are not as many as was said")
	}
	var err error
	f.note(func() {
		f.artifacts = append(f.artifacts, data)
		got.IsCrcSuccessful = got.IsCrcSuccessful && !f.corrupts
		if f.loses > 0 {
			f.loses--
			err = status.Error(codes.Unavailable, "gone")
		}
	})
	if err != nil {
		return err
	}
	return s.SendAndClose(&pb.AddArtifactsResponse{Artifacts: []*pb.AddArtifactsResponse_ArtifactSummary{&got}})
}

// TestSend: files of any size arrive, once each, also where the connection breaks; one that was damaged on the way is an error.
func TestSend(t *testing.T) {
	f := &fake{loses: 2}
	c := f.dial(t)
	large := bytes.Repeat([]byte("tulip"), artifactChunk)
	for range 2 {
		if err := c.send(t.Context(), dataArtifact("large", large), dataArtifact("small", []byte("rose")), dataArtifact("none", nil)); err != nil {
			t.Fatal(err)
		}
	}
	if len(f.artifacts) != 5 || !bytes.Equal(f.artifacts[2], large) || string(f.artifacts[3]) != "rose" || len(f.artifacts[4]) != 0 {
		t.Errorf("%d files arrived, want 5: the large one at the third try, and two", len(f.artifacts))
	}
	f.corrupts = true
	other := dataArtifact("other", []byte("daisy"))
	if err := c.send(t.Context(), other); err == nil || !strings.Contains(err.Error(), "did not arrive as it was sent") {
		t.Errorf("a damaged file: %v", err)
	}
	f.corrupts = false
	if err := c.send(t.Context(), other); err != nil || len(f.artifacts) != 7 {
		t.Errorf("again: %v, %d files", err, len(f.artifacts))
	}
}
