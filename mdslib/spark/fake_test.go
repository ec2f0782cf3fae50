package spark

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"

	"gomosaic/mdslib/spark/pb"
)

// fake is a server for the faults that a real one can't be made to show. Its hooks answer, and it keeps what it was asked.
type fake struct {
	pb.UnimplementedSparkConnectServiceServer
	execute  func(*pb.ExecutePlanRequest, grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error
	reattach func(*pb.ReattachExecuteRequest, grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error
	details  *pb.FetchErrorDetailsResponse
	id       string // its own id of the session
	busy     int    // this many requests for the version fail first
	busyWith error

	late     int          // this many interrupts come before the operation
	loses    int          // this many files fail first
	corrupts bool         // files arrive damaged
	schema   *pb.DataType // of every plan

	mu          sync.Mutex
	artifacts   [][]byte
	headers     metadata.MD
	executed    []string // operation ids
	reattached  []string // last response ids
	interrupted []string
	released    []string // response ids, "all"
	ended       []string // sessions
	claimed     string   // the id that the last request for the version said it had seen
}

// note runs fn under the lock.
func (f *fake) note(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
}

func (f *fake) AnalyzePlan(ctx context.Context, r *pb.AnalyzePlanRequest) (*pb.AnalyzePlanResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.headers, _ = metadata.FromIncomingContext(ctx)
	if r.GetSchema() != nil {
		return &pb.AnalyzePlanResponse{Result: &pb.AnalyzePlanResponse_Schema_{Schema: &pb.AnalyzePlanResponse_Schema{Schema: f.schema}}}, nil
	}
	if f.busy > 0 {
		f.busy--
		return nil, f.busyWith
	}
	f.claimed = r.GetClientObservedServerSideSessionId()
	return &pb.AnalyzePlanResponse{ServerSideSessionId: f.id, Result: &pb.AnalyzePlanResponse_SparkVersion_{SparkVersion: &pb.AnalyzePlanResponse_SparkVersion{Version: "4.2.0"}}}, nil
}

func (f *fake) ExecutePlan(r *pb.ExecutePlanRequest, s grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	f.note(func() { f.executed = append(f.executed, r.GetOperationId()) })
	return f.execute(r, s)
}

func (f *fake) ReattachExecute(r *pb.ReattachExecuteRequest, s grpc.ServerStreamingServer[pb.ExecutePlanResponse]) error {
	f.note(func() { f.reattached = append(f.reattached, r.GetLastResponseId()) })
	return f.reattach(r, s)
}

func (f *fake) ReleaseExecute(_ context.Context, r *pb.ReleaseExecuteRequest) (*pb.ReleaseExecuteResponse, error) {
	f.note(func() {
		if r.GetReleaseAll() != nil {
			f.released = append(f.released, "all")
		} else {
			f.released = append(f.released, r.GetReleaseUntil().ResponseId)
		}
	})
	return &pb.ReleaseExecuteResponse{}, nil
}

func (f *fake) Interrupt(_ context.Context, r *pb.InterruptRequest) (*pb.InterruptResponse, error) {
	answer := &pb.InterruptResponse{}
	f.note(func() {
		if f.late > 0 {
			f.late--
			return
		}
		f.interrupted = append(f.interrupted, r.GetOperationId())
		answer.InterruptedIds = []string{r.GetOperationId()}
	})
	return answer, nil
}

func (f *fake) ReleaseSession(_ context.Context, r *pb.ReleaseSessionRequest) (*pb.ReleaseSessionResponse, error) {
	f.note(func() { f.ended = append(f.ended, r.SessionId) })
	return &pb.ReleaseSessionResponse{}, nil
}

func (f *fake) FetchErrorDetails(context.Context, *pb.FetchErrorDetailsRequest) (*pb.FetchErrorDetailsResponse, error) {
	return f.details, nil
}

// serve starts the server and returns its port.
func (f *fake) serve(t *testing.T, certificates ...tls.Certificate) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var options []grpc.ServerOption
	if len(certificates) > 0 {
		options = append(options, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: certificates})))
	}
	server := grpc.NewServer(options...)
	pb.RegisterSparkConnectServiceServer(server, f)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return port
}

// quick is the policy of tests.
var quick = retryPolicy{retries: 3, first: time.Millisecond, most: time.Millisecond, factor: 1}

// dial opens a session with the fake.
func (f *fake) dial(t *testing.T) *client {
	t.Helper()
	target, err := parseTarget("sc://127.0.0.1:" + f.serve(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := dial(t.Context(), target)
	if err != nil {
		t.Fatal(err)
	}
	c.policy = quick
	t.Cleanup(func() { c.conn.Close() })
	return c
}

// numbers is an Arrow stream of one column n.
func numbers(t *testing.T, values ...int64) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	b.Field(0).(*array.Int64Builder).AppendValues(values, nil)
	var out bytes.Buffer
	w := ipc.NewWriter(&out, ipc.WithSchema(schema))
	if err := w.Write(b.NewRecord()); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// batch is an answer with rows, complete the answer after the last.
func batch(id string, data []byte) *pb.ExecutePlanResponse {
	return &pb.ExecutePlanResponse{ResponseId: id, ResponseType: &pb.ExecutePlanResponse_ArrowBatch_{ArrowBatch: &pb.ExecutePlanResponse_ArrowBatch{Data: data}}}
}

func complete(id string) *pb.ExecutePlanResponse {
	return &pb.ExecutePlanResponse{ResponseId: id, ResponseType: &pb.ExecutePlanResponse_ResultComplete_{ResultComplete: &pb.ExecutePlanResponse_ResultComplete{}}}
}

// sending sends answers and then ends the stream with err.
func sending(s grpc.ServerStreamingServer[pb.ExecutePlanResponse], err error, answers ...*pb.ExecutePlanResponse) error {
	for _, a := range answers {
		if err := s.Send(a); err != nil {
			return err
		}
	}
	return err
}
