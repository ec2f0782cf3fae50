package display

import (
	"errors"
	"fmt"
	"image"
	"reflect"
	"testing"
)

type page string

func (p page) HTML() string { return "<h1>" + string(p) + "</h1>" }

type both struct{}

func (*both) HTML() string          { return "<i>" }
func (*both) SVG() string           { return "<svg/>" }
func (*both) PNG() []byte           { return []byte{1} }
func (*both) JPEG() []byte          { return []byte{2} }
func (*both) PDF() []byte           { return []byte{3} }
func (*both) Latex() string         { return "$x$" }
func (*both) Markdown() string      { return "*x*" }
func (*both) JavaScript() string    { return "f()" }
func (*both) JSON() map[string]any  { return map[string]any{"a": 1} }
func (*both) SimpleRender() MIMEMap { return MIMEMap{"x/simple": 1} }
func (*both) String() string        { return "both" }

type whole struct{}

func (whole) Render() Data {
	return Data{Data: MIMEMap{"x/y": 1}, Metadata: MIMEMap{"m": 2}, Transient: MIMEMap{"t": 3}}
}

func TestRenderByMethod(t *testing.T) {
	d, ok, _ := Render(page("x"))
	if want := (MIMEMap{MIMETypeHTML: "<h1>x</h1>", MIMETypeText: "x"}); !ok || !reflect.DeepEqual(d.Data, want) {
		t.Errorf("HTMLer: %v, %v", d.Data, ok)
	}
	d, ok, _ = Render(&both{})
	want := MIMEMap{MIMETypeHTML: "<i>", MIMETypeSVG: "<svg/>", MIMETypePNG: []byte{1}, MIMETypeJPEG: []byte{2},
		MIMETypePDF: []byte{3}, MIMETypeLatex: "$x$", MIMETypeMarkdown: "*x*", MIMETypeJavaScript: "f()",
		MIMETypeJSON: map[string]any{"a": 1}, "x/simple": 1, MIMETypeText: "both"}
	if !ok || !reflect.DeepEqual(d.Data, want) {
		t.Errorf("all methods: %v, %v", d.Data, ok)
	}
	d, ok, _ = Render(whole{})
	if !ok || d.Data["x/y"] != 1 || d.Metadata["m"] != 2 || d.Transient["t"] != 3 || d.Data[MIMETypeText] != "display.whole{}" {
		t.Errorf("Renderer: %v, %v", d, ok)
	}
	if d, ok, _ = Render(HTML("<p>")); !ok || d.Data[MIMETypeHTML] != "<p>" {
		t.Errorf("Data: %v, %v", d, ok)
	}
	if d, ok, _ = Render(image.NewGray(image.Rect(0, 0, 2, 2))); !ok || d.Data[MIMETypePNG] == nil {
		t.Errorf("image: %v, %v", d, ok)
	}
}

func TestRenderLeavesTheRest(t *testing.T) {
	var none *both
	for _, v := range []any{nil, 3, "x", errors.New("e"), none, struct{}{}} {
		if d, ok, _ := Render(v); ok {
			t.Errorf("Render(%#v) = %v", v, d)
		}
	}
}

func TestRenderDoesNotChangeTheValue(t *testing.T) {
	shared := Data{Data: MIMEMap{MIMETypeHTML: "<p>"}}
	d, _, _ := Render(shared)
	d.Data["more"] = 1
	if len(shared.Data) != 1 {
		t.Errorf("the caller's map is now %v", shared.Data)
	}
}

func TestResultRule(t *testing.T) {
	for name, c := range map[string]struct {
		values []any
		want   MIMEMap
	}{
		"one value":             {[]any{3}, MIMEMap{MIMETypeText: "3"}},
		"several":               {[]any{3, "x", nil}, MIMEMap{MIMETypeText: "3 x <nil>"}},
		"nil":                   {[]any{nil}, nil},
		"nils":                  {[]any{nil, nil}, nil},
		"none":                  {nil, nil},
		"renderable":            {[]any{page("x")}, MIMEMap{MIMETypeHTML: "<h1>x</h1>", MIMETypeText: "x"}},
		"renderable, nil error": {[]any{page("x"), nil}, MIMEMap{MIMETypeHTML: "<h1>x</h1>", MIMETypeText: "x"}},
		"renderable, error":     {[]any{page("x"), errors.New("bad")}, MIMEMap{MIMETypeText: "x bad"}},
		"two renderable":        {[]any{page("x"), page("y")}, MIMEMap{MIMETypeText: "x y"}},
	} {
		if got, err := RenderResult(c.values...); err != nil || !reflect.DeepEqual(got.Data, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got.Data, err, c.want)
		}
	}
}

// tried renders unless it holds an error.
type tried struct{ err error }

func (t tried) TryRender() (Data, error) {
	return Data{Data: MIMEMap{"x/y": 1}, Metadata: MIMEMap{"m": 2}}, t.err
}

func (tried) String() string { return "computed" }

// TestTryRender: an error of rendering is that of Display and of a cell's result, and nothing is shown.
func TestTryRender(t *testing.T) {
	p := record(t)
	if d, err := RenderResult(tried{}, nil); err != nil || d.Data["x/y"] != 1 || d.Metadata["m"] != 2 || d.Data[MIMETypeText] != "computed" {
		t.Errorf("%v, %v", d, err)
	}
	bad := tried{errors.New("no file x")}
	if d, err := RenderResult(bad); err != bad.err || d.Data != nil {
		t.Errorf("%v, %v", d, err)
	}
	_, shown := Show(bad)
	for name, err := range map[string]error{"Display": Display(bad), "Show": shown, "Update": Update("id", &bad)} {
		if err != bad.err {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(p.all()) > 0 {
		t.Errorf("shown: %v", p.all())
	}
	if text := Text([]any{bad, tried{}}); text != "[display.tried display.tried]" {
		t.Errorf("in a list: %s", text)
	}
}

type onPointer struct{ n int }

func (p *onPointer) HTML() string { return fmt.Sprint("<i>", p.n, "</i>") }

// TestRenderVariable: a variable renders by the methods of its pointer.
func TestRenderVariable(t *testing.T) {
	if d, ok, _ := Render(onPointer{3}); !ok || d.Data[MIMETypeHTML] != "<i>3</i>" || d.Data[MIMETypeText] != "display.onPointer{n:3}" {
		t.Errorf("%v, %v", d, ok)
	}
	if text := Summary([]any{&onPointer{}, 1}, 60); text != "[&display.onPointer{n:0} 1]" {
		t.Error(text)
	}
}

// TestRegisterRenderer: a driver renders what has no methods, and nothing else.
func TestRegisterRenderer(t *testing.T) {
	type driven struct{ n int }
	before := renderers.Load()
	defer renderers.Store(before)
	RegisterRenderer(func(v any) (Data, bool) {
		d, ok := v.(driven)
		return MakeData(MIMETypeMarkdown, fmt.Sprint(d.n)), ok
	})
	if d, ok, _ := Render(driven{4}); !ok || d.Data[MIMETypeMarkdown] != "4" {
		t.Errorf("%v, %v", d, ok)
	}
	if _, ok, _ := Render(5); ok {
		t.Error("5 renders")
	}
}
