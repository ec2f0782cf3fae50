package spark

// Running a plan: one reattachable operation, whose answers come in as many streams as the network makes of them.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"

	"gomosaic/mdslib/spark/pb"
)

// execute runs a plan and yields the server's answers. A broken connection is mended: the server keeps an operation's
// answers until they are released. If ctx ends, or the consumer stops early, the operation is interrupted on the server.
func (c *client) execute(ctx context.Context, p *pb.Plan) iter.Seq2[*pb.ExecutePlanResponse, error] {
	return func(yield func(*pb.ExecutePlanResponse, error) bool) {
		ctx, stop := withoutDeadline(ctx)
		defer stop()
		o := c.operation(p)
		defer c.lifelines.begin(o.id)() // its interruption comes before: Spark would try ended tasks again
		defer o.releaseAll()
		watcher := watched("Spark")
		var failure error
		defer func() { watcher.End(failure) }()
		for {
			answer, err := o.next(ctx)
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				if ctx.Err() != nil {
					o.interrupt()
				}
				failure = c.describe(ctx, err)
				yield(nil, failure)
				return
			}
			if p := answer.GetExecutionProgress(); p != nil {
				watcher.Progress(progressOf(p))
				continue
			}
			if !yield(answer, nil) {
				o.interrupt()
				return
			}
			o.release(answer)
		}
	}
}

// withoutDeadline ends when ctx does, for its reason, and has no deadline that gRPC would tell the server: a server that keeps it
// ends the stream a moment before ctx does, which looks like its own failure.
func withoutDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	own, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	return own, func() { stop(); cancel(nil) }
}

// operation is one run of a plan on the server.
type operation struct {
	*client
	id      string
	request *pb.ExecutePlanRequest
	stream  grpc.ServerStreamingClient[pb.ExecutePlanResponse] // nil: to be attached
	begun   bool                                               // ExecutePlan was sent
	last    string                                             // id of the last answer received
	done    bool

	releasing chan struct{} // holds a token while a release is under way
}

func (c *client) operation(p *pb.Plan) *operation {
	id := uuid.NewString()
	return &operation{client: c, id: id, releasing: make(chan struct{}, 1), request: &pb.ExecutePlanRequest{
		SessionId: c.session, UserContext: c.user, ClientType: &c.target.agent, Plan: p, OperationId: &id, ClientObservedServerSideSessionId: c.observed.Load(),
		RequestOptions: []*pb.ExecutePlanRequest_RequestOption{
			{RequestOption: &pb.ExecutePlanRequest_RequestOption_ReattachOptions{ReattachOptions: &pb.ReattachOptions{Reattachable: true}}},
			{RequestOption: &pb.ExecutePlanRequest_RequestOption_ResultChunkingOptions{ResultChunkingOptions: &pb.ResultChunkingOptions{AllowArrowBatchChunking: true}}},
		},
	}}
}

// attach opens a stream: the operation's first, or one that goes on after the last answer received.
func (o *operation) attach(ctx context.Context) (err error) {
	if !o.begun {
		o.begun = true
		o.stream, err = o.rpc.ExecutePlan(o.outgoing(ctx), o.request)
		return err
	}
	r := &pb.ReattachExecuteRequest{SessionId: o.session, UserContext: o.user, ClientType: &o.target.agent, OperationId: o.id, ClientObservedServerSideSessionId: o.observed.Load()}
	if o.last != "" {
		r.LastResponseId = &o.last
	}
	o.stream, err = o.rpc.ReattachExecute(o.outgoing(ctx), r)
	return err
}

// briefStream is how soon a stream that ends without an answer looks like a fault rather than like a server's limit.
const briefStream = time.Second

// errLost: answers were received, so running the plan anew would give some of them twice.
var errLost = errors.New("spark: the server has lost the operation, some of whose results were received already: it was restarted, or ended the session; run it again")

// next returns the next answer, io.EOF after the last.
func (o *operation) next(ctx context.Context) (*pb.ExecutePlanResponse, error) {
	if o.done {
		return nil, io.EOF
	}
	tries := o.policy.begin(o.target)
	defer tries.end()
	for {
		var answer *pb.ExecutePlanResponse
		var err error
		attached := time.Now()
		if o.stream == nil {
			err = o.attach(ctx)
		}
		if err == nil {
			answer, err = o.stream.Recv()
		}
		switch {
		case err == nil:
			if err := o.saw(answer); err != nil {
				return nil, err
			}
			o.last = answer.ResponseId
			if answer.GetResultComplete() != nil {
				o.done = true
				return nil, io.EOF
			}
			return answer, nil
		case errors.Is(err, io.EOF): // the server ends long streams; the operation goes on
			o.stream = nil
			if time.Since(attached) > briefStream {
				continue
			}
			err = errEnded
		case isNotFound(err) && o.last != "":
			return nil, errLost
		case isNotFound(err): // ExecutePlan never arrived
			o.stream, o.begun = nil, false
			err = errEnded
		default:
			o.stream = nil
		}
		if !tries.again(ctx, err) {
			if errors.Is(err, errEnded) {
				err = fmt.Errorf("spark: %s ends the stream of results without a result, again and again", o.target)
			}
			return nil, err
		}
	}
}

// interrupt stops the operation on the server. An operation that has just been sent may come to the server after the first
// wish to stop it.
func (o *operation) interrupt() {
	for wait := 50 * time.Millisecond; wait < time.Second; wait *= 2 {
		known, err := o.client.interrupt(o.id)
		if known || err != nil || !o.begun || o.last != "" { // the server may have ended, or never have been asked, or have ended it
			return
		}
		time.Sleep(wait)
	}
}

// release tells the server that an answer was dealt with, so that it may forget it. Nobody waits for that; while one
// request is under way none is made: a later one covers the answers between.
func (o *operation) release(answer *pb.ExecutePlanResponse) {
	if answer.GetArrowBatch() == nil {
		return
	}
	r := o.releaseRequest()
	r.Release = &pb.ReleaseExecuteRequest_ReleaseUntil_{ReleaseUntil: &pb.ReleaseExecuteRequest_ReleaseUntil{ResponseId: answer.ResponseId}}
	select {
	case o.releasing <- struct{}{}:
	default:
		return // the next release covers this answer
	}
	o.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_, _ = o.rpc.ReleaseExecute(o.outgoing(ctx), r) // a server forgets in time by itself
		<-o.releasing
	})
}

// releaseAll tells the server that the operation is over for us.
func (o *operation) releaseAll() {
	r := o.releaseRequest()
	r.Release = &pb.ReleaseExecuteRequest_ReleaseAll_{ReleaseAll: &pb.ReleaseExecuteRequest_ReleaseAll{}}
	o.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), farewell)
		defer cancel()
		_, _ = o.rpc.ReleaseExecute(o.outgoing(ctx), r)
	})
}

func (o *operation) releaseRequest() *pb.ReleaseExecuteRequest {
	return &pb.ReleaseExecuteRequest{SessionId: o.session, UserContext: o.user, ClientType: &o.target.agent, OperationId: o.id}
}
