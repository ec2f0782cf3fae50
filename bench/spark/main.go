// Command spark is gomosaic's side of make bench-spark: it does what measure.py asks for and says how long that took.
//
// A request is a JSON object a line, as bench/peers/bench_common.py describes it for the peers; the answer is one too.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"gomosaic/mdslib"
	"gomosaic/mdslib/arrowmds"
	_ "gomosaic/mdslib/spark"
	"gomosaic/mdslib/spark/pb"
)

type request struct {
	Do         string
	Remote     string // connect: the server's connection string
	Format     string // convert: of what lies in Input
	Input      string
	Select     []string
	Columns    mdslib.Columns
	Partitions int
	Out        string
	Query      string // to_arrow, small, bare
	Times      int    // small, bare: how often
	Folder     string // read, merge: data set
}

type answer struct {
	Seconds float64           `json:"seconds,omitempty"`
	Each    []float64         `json:"each,omitempty"` // seconds of each time
	Samples int64             `json:"samples,omitempty"`
	CRC     uint64            `json:"crc,omitempty"` // sum of the samples' CRC-32s
	Bytes   int64             `json:"bytes,omitempty"`
	How     string            `json:"how,omitempty"`
	Version map[string]string `json:"version,omitempty"`
}

func main() {
	if err := serve(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench/spark:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, in io.Reader, out io.Writer) error {
	requests, answers := json.NewDecoder(in), json.NewEncoder(out)
	var s side
	defer s.stop()
	for {
		var r request
		if err := requests.Decode(&r); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		a, err := s.run(ctx, r)
		if err != nil {
			return fmt.Errorf("%+v: %w", r, err)
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}

// side has a session with a server, once it was asked to connect.
type side struct {
	remote  string
	session *mdslib.Session
}

func (s *side) stop() {
	if s.session != nil {
		_ = s.session.Stop() // the server may be gone
		s.session = nil
	}
}

func (s *side) run(ctx context.Context, r request) (answer, error) {
	switch r.Do {
	case "versions":
		return answer{Version: map[string]string{"go": runtime.Version()}}, nil
	case "connect":
		return s.connect(ctx, r.Remote)
	case "convert":
		return s.convert(ctx, r)
	case "to_arrow":
		return s.toArrow(ctx, r.Query)
	case "small":
		return s.small(ctx, r)
	case "bare":
		return s.bare(ctx, r)
	case "read":
		return read(r.Folder)
	case "merge":
		start := time.Now()
		err := mdslib.MergeIndex(ctx, r.Folder, mdslib.MergeOptions{})
		return answer{Seconds: time.Since(start).Seconds()}, err
	}
	return answer{}, fmt.Errorf("unknown request %q", r.Do)
}

// connect leaves the session it has, if any, for a new one.
func (s *side) connect(ctx context.Context, remote string) (a answer, err error) {
	s.stop()
	start := time.Now()
	s.remote = remote
	s.session, err = mdslib.Connect(ctx, remote)
	return answer{Seconds: time.Since(start).Seconds()}, err
}

func (s *side) convert(ctx context.Context, r request) (answer, error) {
	start := time.Now()
	frame := s.session.Read().Format(r.Format).Load(r.Input).Select(r.Select...).Repartition(r.Partitions)
	report, err := mdslib.DataFrameToMDS(ctx, frame, mdslib.MDSOptions{Out: r.Out, Columns: r.Columns, Compression: "zstd"})
	if err != nil {
		return answer{}, err
	}
	return answer{Seconds: time.Since(start).Seconds(), Samples: report.Samples, How: report.Engine}, nil
}

// toArrow collects the rows of a query as Arrow records, all of which it keeps.
func (s *side) toArrow(ctx context.Context, query string) (a answer, err error) {
	start := time.Now()
	frame, err := s.session.SQL(ctx, query)
	if err != nil {
		return a, err
	}
	var all []arrow.Record
	for record, err := range arrowmds.ToArrow(ctx, frame) {
		if err != nil {
			return a, err
		}
		record.Retain()
		all = append(all, record)
	}
	a.Seconds = time.Since(start).Seconds()
	for _, record := range all {
		a.Samples += record.NumRows()
		for _, column := range record.Columns() {
			a.Bytes += int64(column.Data().SizeInBytes())
		}
		record.Release()
	}
	all = nil
	runtime.GC() // before the peer's turn
	return a, nil
}

// small runs a small query many times.
func (s *side) small(ctx context.Context, r request) (a answer, err error) {
	frame, err := s.session.SQL(ctx, r.Query)
	if err != nil {
		return a, err
	}
	for range r.Times {
		start := time.Now()
		rows, err := frame.Collect(ctx)
		if err != nil {
			return a, err
		}
		a.Each = append(a.Each, time.Since(start).Seconds())
		a.Samples = int64(len(rows))
	}
	return a, nil
}

// bare runs the same query as a bare call of the protocol, whose answers it drops: what the server and the wire take.
func (s *side) bare(ctx context.Context, r request) (a answer, err error) {
	address, _, _ := strings.Cut(strings.TrimPrefix(s.remote, "sc://"), "/")
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return a, err
	}
	defer conn.Close()
	client, id, user := pb.NewSparkConnectServiceClient(conn), uuid.NewString(), &pb.UserContext{UserId: "bench"}
	plan := &pb.Plan{OpType: &pb.Plan_Root{Root: &pb.Relation{RelType: &pb.Relation_Sql{Sql: &pb.SQL{Query: r.Query}}}}}
	for range r.Times {
		start := time.Now()
		stream, err := client.ExecutePlan(ctx, &pb.ExecutePlanRequest{SessionId: id, UserContext: user, Plan: plan})
		if err != nil {
			return a, err
		}
		for {
			if _, err := stream.Recv(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return a, err
			}
		}
		a.Each = append(a.Each, time.Since(start).Seconds())
	}
	_, err = client.ReleaseSession(ctx, &pb.ReleaseSessionRequest{SessionId: id, UserContext: user})
	return a, err
}

// read reads a data set of convert: how many samples, and their checksum, which does not depend on their order.
func read(folder string) (a answer, err error) {
	d, err := mdslib.OpenDataset(folder, mdslib.ReadOptions{})
	if err != nil {
		return a, err
	}
	defer d.Close()
	var labels []int64
	for sample, err := range d.All() {
		if err != nil {
			return a, err
		}
		a.Samples++
		a.CRC += uint64(crc32.ChecksumIEEE(sample["data"].([]byte)))
		labels = append(labels, sample["label"].(int64))
	}
	slices.Sort(labels)
	for i, label := range labels {
		if label != int64(i) {
			return a, fmt.Errorf("%s: label %d is missing, or comes twice", folder, i)
		}
	}
	return a, nil
}
