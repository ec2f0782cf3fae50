package main

import (
	"bytes"
	"os"
	"reflect"
	"strings"
	"testing"

	"gomosaic/trainlib/torch"
	"gomosaic/trainlib/torch/torchtest"
)

// The committed ops_gen.go is what the list and the schemas of its own version give.
func TestGeneratedIsFresh(t *testing.T) {
	torchtest.Require(t)
	at, err := torch.Find()
	if err != nil {
		t.Fatal(err)
	}
	have, err := os.ReadFile("../ops_gen.go")
	if err != nil {
		t.Fatal(err)
	}
	yaml, version := schemaFile(at)
	if !strings.Contains(string(have), "of PyTorch "+version+";") {
		t.Skipf("ops_gen.go is of another version than libtorch %s; `make setup` installs the pinned one", version)
	}
	want, err := generate(yaml, version)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(have, want) {
		t.Error("ops_gen.go is out of date: run go generate ./trainlib/torch")
	}
}

func TestParse(t *testing.T) {
	s := parse("max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)")
	if !reflect.DeepEqual(s.returns, []string{"Tensor", "Tensor"}) || !reflect.DeepEqual(s.args, []argument{{"Tensor", "self", false}, {"int", "dim", false}, {"bool", "keepdim", true}}) {
		t.Errorf("%+v", s)
	}
	s = parse("add_.Tensor(Tensor(a!) self, Tensor other, *, Scalar alpha=1) -> Tensor(a!)")
	if !reflect.DeepEqual(s.returns, []string{"Tensor"}) || s.args[0] != (argument{"Tensor", "self", false}) {
		t.Errorf("%+v", s)
	}
	s = parse("conv2d(Tensor input, Tensor weight, Tensor? bias=None, SymInt[2] stride=1) -> Tensor")
	if s.args[3] != (argument{"int[]", "stride", true}) {
		t.Errorf("%+v", s)
	}
}
