package mdslib

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// plainFields has a field for each way into a column that needs no interface value.
type plainFields struct {
	Data []byte   `mds:"data"`
	I8   int8     `mds:"i8"`
	I64  int      `mds:"i64,int64"`
	Tiny int      `mds:"tiny,int16"`
	U32  uint32   `mds:"u32"`
	U64  uint64   `mds:"u64"`
	Mix  uint8    `mds:"mix,int"`
	Took duration `mds:"took,int64"`
	Good bool     `mds:"good,uint8"`
	F32  float32  `mds:"f32"`
	F64  float64  `mds:"f64"`
	Wide float32  `mds:"wide,float64"`
	Slim float64  `mds:"slim,float32"`
	Half Float16  `mds:"half,float16"`
	Text string   `mds:"text"`
	Kind label    `mds:"kind"`
}

type duration time.Duration

func somePlain(i int) plainFields {
	return plainFields{
		Data: []byte{byte(i), 1, 2}, I8: int8(-i), I64: -i << 40, Tiny: i - 3, U32: math.MaxUint32, U64: math.MaxUint64, Mix: uint8(i), Took: duration(-i),
		Good: i%2 == 1, F32: float32(i) / 3, F64: float64(i) / 3, Wide: 0.1, Slim: 0.5, Half: Float16Of(1.5), Text: "text ä", Kind: "rose",
	}
}

func (p plainFields) sample() Sample {
	good := 0
	if p.Good {
		good = 1
	}
	return Sample{
		"data": p.Data, "i8": p.I8, "i64": p.I64, "tiny": p.Tiny, "u32": p.U32, "u64": p.U64, "mix": p.Mix, "took": p.Took, "good": good,
		"f32": p.F32, "f64": p.F64, "wide": p.Wide, "slim": p.Slim, "half": p.Half, "text": p.Text, "kind": string(p.Kind),
	}
}

// TestTypedAsDynamic: typed samples have the bytes of the dynamic ones, and come back by both ways of reading.
func TestTypedAsDynamic(t *testing.T) {
	dir := t.TempDir()
	w, err := NewWriter[plainFields](MDSOptions{Out: filepath.Join(dir, "typed")})
	if err != nil {
		t.Fatal(err)
	}
	columns := Columns{}
	for i, name := range w.schema.names {
		columns[name] = w.schema.encodings[i].Name()
	}
	var samples []Sample
	for i := range 9 {
		p := somePlain(i)
		if i == 8 { // NaNs keep their bits
			p.F32, p.F64 = math.Float32frombits(0x7FA00001), math.NaN()
		}
		if err := w.Write(p); err != nil {
			t.Fatal(err)
		}
		samples = append(samples, p.sample())
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dynamic := writeAll(t, MDSOptions{Columns: columns}, samples)
	for _, name := range []string{"shard.00000.mds", IndexName} {
		a, errA := os.ReadFile(filepath.Join(dir, "typed", name))
		b, errB := os.ReadFile(filepath.Join(dynamic, name))
		if errA != nil || errB != nil || string(a) != string(b) {
			t.Errorf("%s differs: %v, %v", name, errA, errB)
		}
	}
	r, err := OpenReader[plainFields](dynamic, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var into plainFields
	var seen [][]byte
	for i := range 8 {
		got, err := r.Get(i)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Read(i, &into); err != nil {
			t.Fatal(err)
		}
		for _, p := range []plainFields{got, into} {
			want := somePlain(i)
			if string(p.Data) != string(want.Data) {
				t.Errorf("sample %d: data %v", i, p.Data)
			}
			if p, want := p.sample(), want.sample(); !mapsAlike(p, want) {
				t.Errorf("sample %d: %v, want %v", i, p, want)
			}
		}
		seen = append(seen, got.Data)
	}
	for i, data := range seen {
		if data[0] != byte(i) {
			t.Errorf("what Get gave changed: %v", data)
		}
	}
	if err := r.Read(9, &into); err == nil {
		t.Error("no error beyond the end")
	}
}

func mapsAlike(a, b Sample) bool {
	for name := range a {
		if _, ok := a[name].([]byte); !ok && a[name] != b[name] {
			return false
		}
	}
	return len(a) == len(b)
}

type imageRow struct {
	Data  []byte `mds:"data"`
	Label int64  `mds:"label"`
	Class string `mds:"class"`
}

// TestAllocations: samples of bytes, numbers and text take no memory of their own, written or read.
func TestAllocations(t *testing.T) {
	data := make([]byte, 1000)
	dir := t.TempDir()
	typed, err := NewWriter[imageRow](MDSOptions{Out: filepath.Join(dir, "typed"), SizeLimit: "none"})
	if err != nil {
		t.Fatal(err)
	}
	dynamic, err := NewMDSWriter(MDSOptions{Out: filepath.Join(dir, "dynamic"), SizeLimit: "none", Columns: Columns{"data": "bytes", "label": "int64", "score": "float32"}})
	if err != nil {
		t.Fatal(err)
	}
	row, sample := imageRow{data, 1 << 40, "rose"}, Sample{"data": data, "label": int64(1 << 40), "score": float32(0.1)}
	for name, write := range map[string]func() error{
		"Writer.Write":    func() error { return typed.Write(row) },
		"MDSWriter.Write": func() error { return dynamic.Write(sample) },
	} {
		// now and then a chunk of the shard, and the list of offsets grows
		if n := testing.AllocsPerRun(2000, func() { err = write() }); err != nil || n >= 1 {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
	if err := typed.Close(); err != nil {
		t.Fatal(err)
	}
	if err := dynamic.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader[imageRow](typed.Dir(), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	shard, err := r.Shard(0)
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	var raw []byte
	var fields [][]byte
	for name, read := range map[string]func() error{
		"Reader.Read": func() error { i++; return r.Read(i%2000, &row) },
		"Shard.AppendRaw/Fields": func() (err error) {
			if raw, err = shard.AppendRaw(raw[:0], i%2000); err == nil {
				fields, err = shard.Fields(fields[:0], raw)
			}
			return err
		},
	} {
		if n := testing.AllocsPerRun(1000, func() { err = read() }); err != nil || n != 0 {
			t.Errorf("%s: %v allocations, %v", name, n, err)
		}
	}
	if row.Class != "rose" || row.Label != 1<<40 || len(row.Data) != 1000 {
		t.Errorf("read %v %d %d", row.Class, row.Label, len(row.Data))
	}
}

func BenchmarkTypedWrite1KB(b *testing.B) {
	w, err := NewWriter[imageRow](MDSOptions{Out: filepath.Join(b.TempDir(), "out"), SizeLimit: "none"})
	if err != nil {
		b.Fatal(err)
	}
	row := imageRow{make([]byte, 1024), 7, "rose"}
	b.ReportAllocs()
	b.SetBytes(1024)
	n := 0
	for b.Loop() {
		if n++; n%100_000 == 0 { // what lies in memory stays small
			w.filling = newRawShard(w.memory)
		}
		if err := w.Write(row); err != nil {
			b.Fatal(err)
		}
	}
	w.Abort()
}

func BenchmarkTypedRead(b *testing.B) {
	d := benchmarkDataset(b, 1024, 20_000)
	r, err := OpenReader[struct {
		Data  []byte `mds:"data"`
		Label int64  `mds:"label"`
	}](d.dir, ReadOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		for i := range b.N {
			if _, err := r.Get(i % 20_000); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Read", func(b *testing.B) {
		b.ReportAllocs()
		var v struct {
			Data  []byte `mds:"data"`
			Label int64  `mds:"label"`
		}
		for i := range b.N {
			if err := r.Read(i%20_000, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
}
