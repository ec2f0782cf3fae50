package dist_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"gomosaic/trainlib/dist"
	"gomosaic/trainlib/distributor"
	"gomosaic/trainlib/models"
	"gomosaic/trainlib/nn"
	"gomosaic/trainlib/optim"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// pinned is the environment of testdata/ddp_reference.py: the instruction set and the threads, on which sums depend.
var pinned = []string{"ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2", "MKL_CBWR=AVX2", "OMP_NUM_THREADS=1"}

// TestMain lets the test program be a rank.
func TestMain(m *testing.M) {
	if os.Getenv("GOMOSAIC_RANK_FUNC") != "" {
		ctx, d := context.Background(), distributor.TorchDistributor{}
		distributor.Run(ctx, d, trainFourSteps)
		distributor.Run(ctx, d, collectives)
		distributor.Run(ctx, d, loseAPeer)
		distributor.Run(ctx, d, trainOnGPU)
		distributor.Run(ctx, d, shareGPU)
		distributor.Run(ctx, d, onWhichDevice)
		os.Exit(2)
	}
	os.Exit(m.Run())
}

// outcome is what a rank has after the reference's four steps, in the form of ddp_reference.json.
type outcome struct {
	Losses   []float64          `json:"losses"`
	Grads    map[string]string  `json:"grads"`
	GradSums map[string]float64 `json:"grad_sums"`
	State    map[string]string  `json:"state"`
}

// digest is ddp_reference.py's.
func digest(t *torch.Tensor) string {
	return fmt.Sprintf("%x", sha256.Sum256(t.RawBytes()))[:16]
}

// trainFourSteps does what ddp_reference.py does, and leaves each rank's outcome with rank 0.
func trainFourSteps(ctx context.Context, w dist.World) ([]outcome, error) {
	torch.SetNumThreads(1)
	group, err := dist.Init(ctx, w, dist.GroupOptions{CPUOnly: true, TimeoutSeconds: 60})
	if err != nil {
		return nil, err
	}
	defer group.Close()
	torch.ManualSeed(int64(100 + w.Rank))
	model := models.MobileNetV2(models.Options{Classes: 5})
	ddp, err := dist.DDP(model, group)
	if err != nil {
		return nil, err
	}
	defer ddp.Close()
	torch.ManualSeed(1)
	images := torch.Randn(4, 3, 64, 64).Narrow(0, w.Rank*2, 2)
	labels := torch.FromSlice([]int64{0, 3, 1, 4}).Narrow(0, w.Rank*2, 2)
	opt := optim.SGD(model.Parameters(), optim.SGDOptions{LR: 0.01, Momentum: 0.9, WeightDecay: 1e-4})

	got := outcome{Grads: map[string]string{}, GradSums: map[string]float64{}, State: map[string]string{}}
	const noSync = 2
	for step := range 4 {
		torch.Step(func() {
			torch.ManualSeed(int64(7 + step))
			if step != noSync+1 {
				opt.ZeroGrad()
			}
			pass := func() {
				loss := nn.CrossEntropy(ddp.Forward(images), labels)
				loss.Backward()
				got.Losses = append(got.Losses, loss.Item())
			}
			if step == noSync {
				ddp.NoSync(pass)
				return
			}
			pass()
			opt.Step()
		})
	}
	for _, p := range model.NamedParameters() {
		grad := p.Tensor.Grad()
		got.Grads[p.Name] = digest(grad)
		sum := 0.0
		for _, v := range grad.Float64s() {
			sum += math.Abs(v)
		}
		got.GradSums[p.Name] = sum
	}
	for name, t := range model.StateDict().All() {
		got.State[name] = digest(t)
	}
	return gather(group, got)
}

// gather returns every rank's outcome, on every rank, as JSON in tensors of one length.
func gather(group *dist.Group, own outcome) ([]outcome, error) {
	const room = 1 << 17
	text, err := json.Marshal(own)
	if err != nil {
		return nil, err
	}
	padded := []byte(fmt.Sprintf("%-*s", room, text))
	tensors, err := group.AllGather(torch.FromSlice(padded))
	if err != nil {
		return nil, err
	}
	all := make([]outcome, len(tensors))
	for i, t := range tensors {
		if err := json.Unmarshal(torch.ToSlice[uint8](t), &all[i]); err != nil {
			return nil, err
		}
	}
	return all, group.Barrier()
}

// TestDDPEqualsPython: two ranks, four steps (one under NoSync) of mobilenet_v2 give Python's losses, gradients, parameters
// and running statistics, to the bit.
func TestDDPEqualsPython(t *testing.T) {
	torchtest.Require(t)
	text, err := os.ReadFile("testdata/ddp_reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var want struct{ Ranks []outcome }
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	got, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, Env: pinned, Log: logTo(t)}, trainFourSteps)
	if err != nil {
		t.Fatal(err)
	}
	for rank, want := range want.Ranks {
		got := got[rank]
		for step, loss := range want.Losses {
			if got.Losses[step] != loss {
				t.Errorf("rank %d, step %d: loss %v, want %v", rank, step, got.Losses[step], loss)
			}
		}
		compare(t, rank, "gradient", got.Grads, want.Grads)
		compare(t, rank, "state", got.State, want.State)
		for name, sum := range want.GradSums {
			if math.Abs(got.GradSums[name]-sum) > 1e-9*(1+sum) {
				t.Errorf("rank %d: |gradient of %s| adds up to %v, want %v", rank, name, got.GradSums[name], sum)
			}
		}
	}
}

// compare reports the names whose digests differ.
func compare(t *testing.T, rank int, what string, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("rank %d: %d %ss, want %d", rank, len(got), what, len(want))
	}
	for name, d := range want {
		if got[name] != d {
			t.Errorf("rank %d: %s %s differs", rank, what, name)
		}
	}
}

// collectives tries each of the group's operations.
func collectives(ctx context.Context, w dist.World) (struct{}, error) {
	group, err := dist.Init(ctx, w, dist.GroupOptions{CPUOnly: true, TimeoutSeconds: 60})
	if err != nil {
		return struct{}{}, err
	}
	defer group.Close()
	sums, err := group.Sum(float64(w.Rank), 1)
	if err != nil || sums[0] != 3 || sums[1] != 3 {
		return struct{}{}, fmt.Errorf("Sum = %v, %v", sums, err)
	}
	t := torch.FromSlice([]float32{float32(w.Rank), 7})
	if err := group.Broadcast(2, t); err != nil || torch.ToSlice[float32](t)[0] != 2 {
		return struct{}{}, fmt.Errorf("Broadcast: %v, %v", t, err)
	}
	all, err := group.AllGather(torch.FromSlice([]int64{int64(w.Rank * 10)}))
	if err != nil || len(all) != 3 || all[2].Item() != 20 {
		return struct{}{}, fmt.Errorf("AllGather: %v, %v", all, err)
	}
	return struct{}{}, group.Barrier()
}

func TestCollectives(t *testing.T) {
	torchtest.Require(t)
	d := distributor.TorchDistributor{NumProcesses: 3, LocalMode: true, Log: logTo(t)}
	if _, err := distributor.Run(t.Context(), d, collectives); err != nil {
		t.Fatal(err)
	}
}

// lostAfter is when a collective gives its peers up, in seconds: later than two ranks of the busiest machine have started and ended.
const lostAfter = 600

// loseAPeer: rank 1 leaves while rank 0 waits for it in a collective.
func loseAPeer(ctx context.Context, w dist.World) (struct{}, error) {
	group, err := dist.Init(ctx, w, dist.GroupOptions{CPUOnly: true, TimeoutSeconds: lostAfter})
	if err != nil {
		return struct{}{}, err
	}
	if w.Rank == 1 {
		return struct{}{}, errors.New("rank 1 has had enough")
	}
	_, err = group.Sum(1)
	return struct{}{}, err
}

// TestLostPeer: a rank that fails ends the others at once, and its own words are the job's error.
func TestLostPeer(t *testing.T) {
	torchtest.Require(t)
	started := time.Now()
	_, err := distributor.Run(t.Context(), distributor.TorchDistributor{NumProcesses: 2, LocalMode: true, Log: logTo(t)}, loseAPeer)
	if err == nil || !strings.Contains(err.Error(), "rank 1 has had enough") {
		t.Errorf("err = %v, want rank 1's", err)
	}
	if took := time.Since(started); took > lostAfter*time.Second {
		t.Errorf("the job ended after %v: it waited for the collective's timeout", took)
	}
}

// logTo passes the ranks' lines to the test's log.
func logTo(t *testing.T) func(rank int, line string) {
	return func(rank int, line string) { t.Logf("[%d] %s", rank, line) }
}
