// Package distributor launches the processes (ranks) of a training job and brings the result of rank 0 back, in the
// manner of PySpark's TorchDistributor. A notebook function travels as a compiled program (mdslib/ship); every rank finds
// its [dist.World] in torchrun's environment variables, so the same program also runs under torchrun.
package distributor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"

	"gomosaic/mdslib"
	"gomosaic/mdslib/ship"
	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor/ranks"
)

// TorchDistributor says how many processes to launch and where. The zero value launches one: on Spark where there is a
// session, else on this machine.
type TorchDistributor struct {
	NumProcesses int  // ranks in the job; 0 means 1
	LocalMode    bool // true: all ranks on this machine; false: on the executors of a Spark session
	UseGPU       bool // one GPU a rank, cuda:LOCAL_RANK, joined by NCCL; false: CPU and Gloo

	// Data are the data sets that the ranks will read, folders or URLs. It is checked on every machine of the job that the
	// index.json of each can be read, before any rank begins; where only the program of [Run] knows a URL's kind, before it
	// calls fn.
	Data []string

	Session          *mdslib.Session // the Spark session for LocalMode false; nil: the one connected last, as in PySpark the active one
	Listen           string          // host:port on this machine at which the ranks on a cluster report; default: any port of the address by which this machine reaches Spark
	PlacementSeconds float64         // how long tasks may wait for free slots of the cluster; 0 means 25

	LogDir       string                      // folder for rank-0.log, rank-1.log …; empty: no files
	Log          func(rank int, line string) // receives every line that a rank prints, one call at a time; nil: "[rank] line" on standard output
	Env          []string                    // additions to every rank's environment, KEY=value
	GraceSeconds float64                     // from SIGTERM to SIGKILL when a job is stopped; 0 means 1.5
}

// entry is what a shipped program's main calls.
var entry = ship.Entry{Package: "gomosaic/trainlib/distributor", Func: "RankMain"}

// Run calls fn in every rank and returns what rank 0's call returned.
//
// In a notebook, fn is a function declared in a cell: its program holds the session's declarations and a snapshot of the
// variables that it uses. In an ordinary Go program the ranks are this executable again: each runs main up to the same call
// of Run, and fn there instead of launching, so what stands before that call runs in every rank. A program whose main begins with
// reexec.Main, as Map on Spark needs it, names fn there.
//
// With LocalMode the ranks are processes of this machine. Without, they are tasks of Spark, one rank each, or one for each
// GPU that spark.task.resource.gpu.amount gives a task; the program travels to the executors, and each rank finds libtorch
// there. What the ranks print arrives while they run, in either case.
//
// The first rank that fails ends the job: the others get SIGTERM, and SIGKILL after the grace time; the error is a
// [*RankError] that names the rank and its last words. When ctx ends, so does the job, and Run returns ctx's error. The result travels
// by encoding/gob: its exported fields arrive.
func Run[T any](ctx context.Context, d TorchDistributor, fn func(context.Context, dist.World) (T, error)) (T, error) {
	var zero T
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	if rankFunc := os.Getenv(envFunc); rankFunc != "" {
		if rankFunc == name {
			RankMain(fn)
		}
		return zero, fmt.Errorf("distributor: this process is a rank that runs %s: it cannot launch %s", rankFunc, name)
	}
	where, err := d.place(ctx)
	if err != nil {
		return zero, err
	}
	program, err := programOf(ctx, fn, name)
	if err != nil {
		return zero, err
	}
	dir, err := os.MkdirTemp("", "gomosaic-ranks-")
	if err != nil {
		return zero, fmt.Errorf("distributor: a folder for the ranks' results: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := where.launch(ctx, d, program, dir); err != nil {
		return zero, err
	}
	r, err := readResult[T](ranks.ResultFile(dir, 0))
	if err != nil {
		return zero, fmt.Errorf("distributor: rank 0 ended well but left no result: %w", err)
	}
	return r.Value, nil
}

// RunProgram launches the executable at path with args as every rank of a job, and waits for all of them. A failing rank
// ends the job as in [Run]. On a cluster the executable travels alone: what it needs beside it must be there.
func RunProgram(ctx context.Context, d TorchDistributor, path string, args ...string) error {
	where, err := d.place(ctx)
	if err != nil {
		return err
	}
	return where.launch(ctx, d, rankProgram{Program: ship.Program{Path: path, Args: args}}, "")
}

// rankProgram is what the ranks run on machines like this one.
type rankProgram struct {
	ship.Program
	other func(ctx context.Context, arch string) (ship.Program, error) // makes it for machines of another GOARCH; nil: there is none
}

// programOf returns the program that runs fn: shipped by the notebook session, or this executable again.
func programOf(ctx context.Context, fn any, name string) (rankProgram, error) {
	shipper, err := ship.Default()
	if errors.Is(err, ship.ErrNoShipper) {
		self, err := os.Executable()
		if err != nil {
			return rankProgram{}, fmt.Errorf("distributor: the path of this program: %w", err)
		}
		return rankProgram{Program: ship.Program{Path: self, Args: os.Args[1:], Env: []string{envFunc + "=" + name}}}, nil
	}
	if err != nil {
		return rankProgram{}, err
	}
	p, err := shipper.Ship(ctx, fn, entry)
	return rankProgram{p, func(ctx context.Context, arch string) (ship.Program, error) {
		there := entry
		there.Arch = arch
		return shipper.Ship(ctx, fn, there)
	}}, err
}

// launcher runs a program as every rank of d and waits for all of them. The ranks' result files go to resultDir, when there
// is one.
type launcher interface {
	launch(ctx context.Context, d TorchDistributor, program rankProgram, resultDir string) error
}

// place finds where the ranks can run, and refuses what cannot be launched.
func (d TorchDistributor) place(ctx context.Context) (launcher, error) {
	if d.NumProcesses < 0 {
		return nil, fmt.Errorf("distributor: NumProcesses is %d: want at least 1", d.NumProcesses)
	}
	if !d.LocalMode {
		session := d.Session
		if session == nil {
			session = mdslib.ActiveSession()
		}
		if session != nil {
			return placeOn(ctx, d, session)
		}
		if d.ranks() > 1 {
			return nil, fmt.Errorf("distributor: NumProcesses is %d and LocalMode is false: ranks on a cluster need a Spark session: connect to one (mdslib.Connect, sc://host:port), or set LocalMode: true to run them on this machine", d.NumProcesses)
		}
	}
	if d.UseGPU {
		if gpus := gpuCount(); gpus < d.ranks() {
			return nil, fmt.Errorf("distributor: UseGPU asks for one GPU a rank: %d ranks, %d GPUs on this machine", d.ranks(), gpus)
		}
	}
	return here{}, nil
}

// ranks returns the number of processes to launch.
func (d TorchDistributor) ranks() int { return max(1, d.NumProcesses) }
