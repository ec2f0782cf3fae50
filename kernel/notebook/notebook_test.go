package notebook

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"gomosaic/kernel/host"
)

const small = `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": 7,
   "id": "one",
   "metadata": {
    "tags": [
     "parameters"
    ]
   },
   "outputs": [],
   "source": [
    "a := 1 // <&>\n",
    "b := \"ü\""
   ]
  },
  {
   "cell_type": "markdown",
   "id": "two",
   "metadata": {},
   "source": []
  }
 ],
 "metadata": {
  "kernelspec": {
   "language": "go",
   "name": "gomosaic"
  },
  "mine": 1.50
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`

func TestRoundTrip(t *testing.T) {
	n, err := Read(strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	if n.Language() != "go" || n.Cells[0].Source != "a := 1 // <&>\nb := \"ü\"" || !n.Cells[0].HasTag("parameters") || n.Cells[1].HasTag("parameters") {
		t.Errorf("read %+v", n.Cells[0])
	}
	var b bytes.Buffer
	if err := n.Write(&b); err != nil || b.String() != small {
		t.Errorf("written as %s, %v", b.String(), err)
	}
}

func TestReadRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"x": "no notebook", `{"nbformat":3,"worksheets":[]}`: "nbformat is 3: want 4", `{"nbformat":4}`: "no list of cells", `{"nbformat":4,"cells":[1]}`: "cell 0 is no object",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", text, err, want)
		}
	}
}

func TestParameters(t *testing.T) {
	parameters := []Parameter{{Name: "a", Value: "2"}, {Name: "rate", Value: "1e-3"}, {Name: "on", Value: "true"}, {Name: "s", Value: "in\"f"}, {Name: "v", Value: "5", Text: true}}
	for _, test := range []struct{ notebook, want string }{
		{small, "a = 2\nrate = 1e-3\non = true\ns = \"in\\\"f\"\nv = \"5\""},
		{strings.Replace(small, `"parameters"`, `"other"`, 1), "a := 2\nrate := 1e-3\non := true\ns := \"in\\\"f\"\nv := \"5\""},
	} {
		n, err := Read(strings.NewReader(test.notebook))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second replaces the first
			if err := n.SetParameters(parameters); err != nil {
				t.Fatal(err)
			}
		}
		if len(n.Cells) != 3 {
			t.Fatalf("%d cells", len(n.Cells))
		}
		at := 0
		if n.Cells[0].HasTag("parameters") {
			at = 1
		}
		if got := n.Cells[at].Source; got != "// Parameters\n"+test.want {
			t.Errorf("injected at %d: %s", at, got)
		}
	}
	if err := (&Notebook{}).SetParameters([]Parameter{{Name: "a b"}}); err == nil {
		t.Error("a b is taken for a name")
	}
}

// script is a session whose cells do what their text says.
type script struct{}

func (script) Execute(ctx context.Context, code string, _ int, out host.Output) error {
	id := map[string]any{"display_id": "d"}
	for line := range strings.Lines(code) {
		switch line = strings.TrimSpace(line); line {
		case "show":
			out.Display(map[string]any{"text/plain": "first"}, nil, id, false)
		case "update":
			out.Display(map[string]any{"text/plain": "second", "application/json": map[string]any{"k": 1}}, nil, id, true)
		case "clear":
			out.ClearOutput(true)
		case "result":
			out.Result(map[string]any{"text/plain": "42"}, nil)
		case "fail":
			return &host.CellError{Name: "panic", Value: "bad", Traceback: []string{"panic: bad"}}
		case "wait":
			<-ctx.Done()
			return &host.CellError{Name: "interrupted", Value: "interrupted"}
		default:
			out.Stream("stdout", line+"\n")
		}
	}
	return nil
}

func TestRun(t *testing.T) {
	for _, test := range []struct {
		name    string
		cells   string // sources, separated by |
		options RunOptions
		want    string // texts of the cells, separated by |
		err     string
	}{
		{"streams join, updates reach back", "a\nb\nshow|update\nresult", RunOptions{}, "a\nb\nsecond\n|42\n", ""},
		{"clear waits", "a\nclear|b\nclear\nc", RunOptions{}, "a\n|c\n", ""},
		{"a failure ends the run", "a\nfail|b", RunOptions{}, "a\n|", "cell[1] failed: panic: bad"},
		{"unless errors are allowed", "fail|b", RunOptions{AllowErrors: true}, "|b\n", ""},
		{"a cell that takes too long", "wait|b", RunOptions{TimeoutSeconds: 0.01}, "|", "cell[1] failed: timeout: the cell took longer than 0.01 s"},
	} {
		n := &Notebook{raw: map[string]any{"nbformat": 4}}
		for source := range strings.SplitSeq(test.cells, "|") {
			n.Cells = append(n.Cells, &Cell{Type: "code", Source: source, raw: map[string]any{"outputs": []any{"old"}}})
		}
		err := Run(t.Context(), script{}, n, test.options)
		var texts []string
		for _, c := range n.Cells {
			texts = append(texts, c.Text())
		}
		if got := strings.Join(texts, "|"); got != test.want {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		if (err == nil) != (test.err == "") || err != nil && err.Error() != test.err {
			t.Errorf("%s: %v, want %q", test.name, err, test.err)
		}
	}
}
