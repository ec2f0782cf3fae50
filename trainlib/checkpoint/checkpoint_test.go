package checkpoint_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"gomosaic/trainlib/checkpoint"
	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

var dtypes = map[string]torch.DType{
	"float32": torch.Float32, "float64": torch.Float64, "float16": torch.Float16, "bfloat16": torch.BFloat16, "int64": torch.Int64,
	"int32": torch.Int32, "int16": torch.Int16, "int8": torch.Int8, "uint8": torch.Uint8, "bool": torch.Bool,
}

// The files of testdata are made by fixtures.py: every type holds [[0, 1, 2], [3, 4, 5]].
func checkStateDict(t *testing.T, file string, sd *torch.StateDict) {
	t.Helper()
	if sd.Len() != len(dtypes)+2 {
		t.Errorf("%s: %d entries: %v", file, sd.Len(), sd.Names())
	}
	for name, d := range dtypes {
		v := sd.Get(name)
		want := []float64{0, 1, 2, 3, 4, 5}
		if d == torch.Bool {
			want = []float64{0, 1, 1, 1, 1, 1}
		}
		if v == nil || v.DType() != d || !reflect.DeepEqual(v.Shape(), []int{2, 3}) || !reflect.DeepEqual(v.Float64s(), want) {
			t.Errorf("%s: %s: %v", file, name, v)
		}
	}
	if s := sd.Get("scalar"); s.Dim() != 0 || s.Item() != 7 {
		t.Errorf("%s: scalar %v", file, s)
	}
	if e := sd.Get("empty"); !reflect.DeepEqual(e.Shape(), []int{0, 3}) {
		t.Errorf("%s: empty %v", file, e.Shape())
	}
}

func TestReadsPythonsStateDicts(t *testing.T) {
	torchtest.Run(t, func() {
		for _, file := range []string{"state_dict.pt", "legacy.pt", "state_dict.safetensors"} {
			sd, err := checkpoint.LoadStateDict(filepath.Join("testdata", file))
			if err != nil {
				t.Errorf("%v", err)
				continue
			}
			checkStateDict(t, file, sd)
			if !strings.HasSuffix(file, ".safetensors") && sd.Names()[0] != "float32" {
				t.Errorf("%s: order %v", file, sd.Names())
			}
		}
	})
}

func TestReadsPythonsCheckpoints(t *testing.T) {
	torchtest.Run(t, func() {
		for protocol := 2; protocol <= 5; protocol++ {
			v, err := checkpoint.Load(fmt.Sprintf("testdata/nested%d.pt", protocol))
			if err != nil {
				t.Errorf("protocol %d: %v", protocol, err)
				continue
			}
			m := v.(map[string]any)
			for key, want := range map[string]any{
				"epoch": int64(3), "big": int64(1 << 40), "negative": int64(-5), "lr": 0.1, "name": "x", "ok": true, "none": nil, "blob": []byte{0, 255},
				"list": []any{int64(1), []any{2.5, "y"}}, "tuple": []any{int64(1), int64(2)}, "size": []any{int64(4), int64(5)},
				"dtype": torch.Float16, "device": "cuda:1",
			} {
				if !reflect.DeepEqual(m[key], want) {
					t.Errorf("protocol %d: %s = %#v, want %#v", protocol, key, m[key], want)
				}
			}
			sd := m["model"].(*torch.StateDict)
			if got := sd.Get("w").Float64s(); !reflect.DeepEqual(got, []float64{2, 3, 4, 5, 6, 7}) {
				t.Errorf("protocol %d: view %v", protocol, got)
			}
			if got := sd.Get("t"); !reflect.DeepEqual(got.Shape(), []int{4, 3}) || !reflect.DeepEqual(got.Float64s()[:3], []float64{0, 4, 8}) {
				t.Errorf("protocol %d: transposed view %v", protocol, got)
			}
			sd.Get("w").FillInPlace(-1) // a view of the same storage sees it
			if got := sd.Get("t").Float64s(); got[6] != -1 {
				t.Errorf("protocol %d: views do not share their storage: %v", protocol, got)
			}
			state := m["optimizer"].(map[string]any)["state"].(map[int64]any)[0].(*torch.StateDict)
			if got := state.Get("momentum_buffer").Sum().Item(); got != 3 {
				t.Errorf("protocol %d: momentum %v", protocol, got)
			}
			if nested, err := checkpoint.LoadStateDict(fmt.Sprintf("testdata/nested%d.pt", protocol)); err != nil || nested.Len() != 3 {
				t.Errorf("protocol %d: state dict under model: %v", protocol, err)
			}
		}
	})
}

func TestRefusesCode(t *testing.T) {
	_, err := checkpoint.Inspect("testdata/evil.pt")
	if err == nil || !strings.Contains(err.Error(), "posix.system") || !strings.Contains(err.Error(), "it may run code, and is refused") {
		t.Errorf("got %v", err)
	}
}

// Inspect needs no libtorch.
func TestInspect(t *testing.T) {
	for _, file := range []string{"state_dict.pt", "legacy.pt", "state_dict.safetensors"} {
		entries, err := checkpoint.Inspect(filepath.Join("testdata", file))
		if err != nil || len(entries) != len(dtypes)+2 {
			t.Errorf("%s: %d entries, %v", file, len(entries), err)
			continue
		}
		for _, e := range entries {
			if d, ok := dtypes[e.Name]; ok && (e.DType != d || !reflect.DeepEqual(e.Shape, []int{2, 3})) {
				t.Errorf("%s: %+v", file, e)
			}
		}
	}
}

func TestRoundTrip(t *testing.T) {
	torchtest.Run(t, func() {
		dir := t.TempDir()
		sd, err := checkpoint.LoadStateDict("testdata/state_dict.pt")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a.pt", "a.safetensors"} {
			path := filepath.Join(dir, name)
			if err := checkpoint.Save(path, sd); err != nil {
				t.Fatal(err)
			}
			back, err := checkpoint.LoadStateDict(path)
			if err != nil {
				t.Fatal(err)
			}
			checkStateDict(t, name, back)
			if !reflect.DeepEqual(back.Names(), sd.Names()) && name == "a.pt" {
				t.Errorf("order %v", back.Names())
			}
		}
		tied := torch.Randn(3)
		value := map[string]any{
			"model": torch.NewStateDict(torch.Named{Name: "a", Tensor: tied}, torch.Named{Name: "b", Tensor: tied}, torch.Named{Name: "c", Tensor: torch.Arange(0, 6, 1).Reshape(2, 3).T()}),
			"epoch": 3, "big": int64(1) << 40, "negative": -1 << 33, "rate": 0.1, "name": "é", "none": nil, "yes": true,
			"list": []any{1, []int{2, 3}, []float64{0.5}, []string{"s"}}, "state": map[int64]any{7: torch.Ones(2)}, "empty": map[string]any{},
		}
		path := filepath.Join(dir, "nest.pt")
		if err := checkpoint.Save(path, value); err != nil {
			t.Fatal(err)
		}
		v, err := checkpoint.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		m := v.(map[string]any)
		for key, want := range map[string]any{
			"epoch": int64(3), "big": int64(1 << 40), "negative": int64(-1 << 33), "rate": 0.1, "name": "é", "none": nil, "yes": true,
			"list": []any{int64(1), []any{int64(2), int64(3)}, []any{0.5}, []any{"s"}}, "empty": map[string]any{},
		} {
			if !reflect.DeepEqual(m[key], want) {
				t.Errorf("%s = %#v, want %#v", key, m[key], want)
			}
		}
		model := m["model"].(*torch.StateDict)
		if !model.Get("a").Equal(tied) || !reflect.DeepEqual(model.Get("c").Int64s(), []int64{0, 3, 1, 4, 2, 5}) {
			t.Errorf("model %v", model)
		}
		model.Get("a").FillInPlace(9)
		if model.Get("b").Sum().Item() != 27 {
			t.Error("tied tensors came back apart")
		}
	})
}

func TestSaveRefusesAndLeavesNothing(t *testing.T) {
	torchtest.Run(t, func() {
		dir := t.TempDir()
		freed := torch.Ones(1)
		freed.Free()
		loop := map[string]any{}
		loop["self"] = loop
		for want, value := range map[string]any{
			"epochs.1: a value of type chan int": map[string]any{"epochs": []any{1, make(chan int)}},
			"w: the tensor has been freed":       torch.NewStateDict(torch.Named{Name: "w", Tensor: freed}),
			"self: the value contains itself":    loop,
		} {
			err := checkpoint.Save(filepath.Join(dir, "x.pt"), value)
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		}
		if err := checkpoint.Save(filepath.Join(dir, "x.safetensors"), 3); err == nil {
			t.Error("a number was saved as safetensors")
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("left behind: %v", left)
		}
		old := filepath.Join(dir, "old.pt")
		if err := checkpoint.Save(old, 1); err != nil {
			t.Fatal(err)
		}
		if err := checkpoint.Save(old, make(chan int)); err == nil {
			t.Error("a channel was saved")
		}
		if v, err := checkpoint.Load(old); err != nil || v != int64(1) {
			t.Errorf("the file before the failure: %v, %v", v, err)
		}
	})
}

func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	whole, err := os.ReadFile("testdata/state_dict.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file string
		data []byte
		want string
	}{
		"empty":    {"e.pt", nil, "neither a zip file nor a legacy file"},
		"text":     {"t.pt", []byte("hello"), "neither a zip file nor a legacy file"},
		"short":    {"s.safetensors", whole[:4], "shorter than its length field"},
		"cut":      {"c.safetensors", whole[:len(whole)-1], "do not lie in"},
		"too long": {"l.safetensors", append(append([]byte{}, whole...), 0), "bytes of data, the tensors take"},
	} {
		path := filepath.Join(dir, c.file)
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := checkpoint.Inspect(path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
