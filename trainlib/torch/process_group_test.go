package torch_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

func TestStore(t *testing.T) {
	torchtest.Run(t, func() {
		server, port, err := torch.NewTCPStore("127.0.0.1", 0, torch.TCPStoreOptions{Server: true, WorldSize: 1, Timeout: 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer server.Close()
		client, _, err := torch.NewTCPStore("127.0.0.1", port, torch.TCPStoreOptions{Timeout: 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		prefixed, err := torch.NewPrefixStore("job", client)
		if err != nil {
			t.Fatal(err)
		}
		defer prefixed.Close()
		if err := prefixed.Set("k", []byte{1, 0, 2}); err != nil {
			t.Fatal(err)
		}
		if v, err := server.Get("job/k"); err != nil || !reflect.DeepEqual(v, []byte{1, 0, 2}) {
			t.Errorf("job/k = %v, %v", v, err)
		}
		if n, err := client.Add("n", 5); err != nil || n != 5 {
			t.Errorf("counter %d, %v", n, err)
		}
		if there, err := client.Has("absent"); err != nil || there {
			t.Errorf("absent key: %v, %v", there, err)
		}
		if err := client.Wait("absent", 50*time.Millisecond); err == nil {
			t.Error("waiting for an absent key succeeds")
		}
		if gone, err := server.Delete("job/k"); err != nil || !gone {
			t.Errorf("delete: %v, %v", gone, err)
		}
		closed, _, err := torch.NewTCPStore("127.0.0.1", port, torch.TCPStoreOptions{Timeout: 30 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		closed.Close()
		if err := closed.Set("k", nil); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("a closed store: %v", err)
		}
	})
}

// Two ranks in one process, each with its own connection and group, as two processes would have; on a GPU they share it, and
// Gloo moves their tensors by way of the CPU. The reducer is for the CPU alone: a process has one thread for the backward
// passes of a GPU, on which one rank would wait for the other.
func TestTwoRanksReduceAndBroadcast(t *testing.T) {
	for _, device := range torchtest.Devices(t) {
		t.Run(device.String(), func(t *testing.T) { twoRanks(t, device) })
	}
}

func twoRanks(t *testing.T, device torch.Device) {
	server, port, err := torch.NewTCPStore("127.0.0.1", 0, torch.TCPStoreOptions{Server: true, WorldSize: 2, Timeout: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	rank := func(r int) error {
		store, _, err := torch.NewTCPStore("127.0.0.1", port, torch.TCPStoreOptions{WorldSize: 2, Timeout: 30 * time.Second})
		if err != nil {
			return err
		}
		defer store.Close()
		p, err := torch.NewPrefixStore("default_pg/0", store)
		if err != nil {
			return err
		}
		defer p.Close()
		g, err := torch.NewProcessGroup(p, r, 2, torch.ProcessGroupOptions{Timeout: 30 * time.Second, Interface: "lo"})
		if err != nil {
			return err
		}
		defer g.Close()
		w := torch.FromSlice([]float32{float32(r), 1}).To(device).SetRequiresGrad(true)
		if err := g.BroadcastCoalesced([]*torch.Tensor{w}, 0, 0); err != nil {
			return err
		}
		if device == torch.CPU {
			if err := reduceGradient(t, g, w); err != nil {
				return err
			}
		}
		if got := w.Float64s(); !reflect.DeepEqual(got, []float64{0, 1}) {
			t.Errorf("rank %d: broadcast %v", r, got)
		}
		x := torch.FromSlice([]float64{float64(r + 1)}).To(device)
		if err := g.AllReduce(torch.ReduceMax, x); err != nil {
			return err
		}
		if x.Item() != 2 {
			t.Errorf("rank %d: max %v", r, x.Item())
		}
		all, err := g.AllGather(torch.FromSlice([]int64{int64(10 + r)}).To(device))
		if err != nil {
			return err
		}
		if all[0].Item() != 10 || all[1].Item() != 11 {
			t.Errorf("rank %d: gathered %v %v", r, all[0].Item(), all[1].Item())
		}
		return g.Barrier()
	}
	errs := make(chan error, 2)
	for r := range 2 {
		go func() { errs <- rank(r) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// reduceGradient has gradients 1 and 3 of two ranks averaged.
func reduceGradient(t *testing.T, g *torch.ProcessGroup, w *torch.Tensor) error {
	red, err := torch.NewReducer(g, []*torch.Tensor{w}, []string{"w"}, torch.ReducerOptions{})
	if err != nil {
		return err
	}
	defer red.Close()
	if _, err := red.PrepareForward(); err != nil {
		return err
	}
	loss := w.MulScalar(float64(2*g.Rank() + 1)).Sum() // gradients 1 and 3, mean 2
	if err := red.PrepareBackward(); err != nil {
		return err
	}
	loss.Backward()
	if got := w.Grad().Float64s(); !reflect.DeepEqual(got, []float64{2, 2}) {
		t.Errorf("rank %d: gradient %v", g.Rank(), got)
	}
	return nil
}
