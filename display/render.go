package display

// Rendering: which values render, and what the last expression of a cell shows. The
// interfaces are gophernotes'; a type renders by having the method, without importing this
// package. Used by the cell host and by Display.

import (
	"fmt"
	"image"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
)

// The interfaces by which a value renders itself. A value with several of them gives
// several representations of one thing, of which the front-end shows the richest.
type (
	// Renderer gives all its representations itself.
	Renderer = interface{ Render() Data }
	// TryRenderer gives all its representations itself, by work that may fail. The error is the cell's where the value stands
	// last in one, and [Display] returns it.
	TryRenderer = interface{ TryRender() (Data, error) }
	// SimpleRenderer gives its representations without metadata.
	SimpleRenderer = interface{ SimpleRender() MIMEMap }
	// HTMLer renders as HTML.
	HTMLer = interface{ HTML() string }
	// JavaScripter renders as a script.
	JavaScripter = interface{ JavaScript() string }
	// JPEGer renders as an encoded JPEG image.
	JPEGer = interface{ JPEG() []byte }
	// JSONer renders as a JSON object.
	JSONer = interface{ JSON() map[string]any }
	// Latexer renders as a formula.
	Latexer = interface{ Latex() string }
	// Markdowner renders as Markdown.
	Markdowner = interface{ Markdown() string }
	// PNGer renders as an encoded PNG image.
	PNGer = interface{ PNG() []byte }
	// PDFer renders as a PDF document.
	PDFer = interface{ PDF() []byte }
	// SVGer renders as an SVG image.
	SVGer = interface{ SVG() string }
)

// Render gives the representations of a renderable value; ok is false for any other.
// Renderable are [Data], a value with one of the rendering methods (of its own, or of a pointer
// to it), an image.Image, and what the registered [ChartRenderer] and the renderers of
// [RegisterRenderer] know; a nil pointer is not. A rendering method that panics
// is the caller's to report: its trace names the line. The error is that of a [TryRenderer], which is renderable (ok).
func Render(v any) (d Data, ok bool, err error) {
	if isNil(v) {
		return Data{}, false, nil
	}
	// First the registered renderer: go-echarts' charts have a JSON method, which would
	// otherwise show the option in place of the chart.
	if c := chartRenderer(); c != nil {
		if d, ok := c.RenderValue(v, newDisplayID()); ok {
			return withPlainText(d, v), true, nil
		}
	}
	if x, is := v.(Data); is {
		return withPlainText(x, v), true, nil
	}
	if d, ok, err = renderByMethods(v); !ok {
		if p, is := addressed(v); is {
			d, ok, err = renderByMethods(p)
		}
	}
	if err != nil {
		return Data{}, true, err
	}
	if ok {
		return withPlainText(d, v), true, nil
	}
	for _, render := range *renderers.Load() {
		if d, ok := render(v); ok {
			return withPlainText(d, v), true, nil
		}
	}
	if img, is := v.(image.Image); is {
		return Image(img), true, nil
	}
	return Data{}, false, nil
}

// renderers are the functions given to RegisterRenderer; a driver slot like database/sql's.
var renderers = func() *atomic.Pointer[[]func(v any) (Data, bool)] {
	p := new(atomic.Pointer[[]func(v any) (Data, bool)])
	p.Store(&[]func(v any) (Data, bool){})
	return p
}()

// RegisterRenderer adds a function that renders values of types without rendering methods, in
// the manner of database/sql: a package that has one registers it in its init. The function
// MUST be safe for concurrent use and return false for values that are not its own.
func RegisterRenderer(render func(v any) (d Data, ok bool)) {
	for {
		before := renderers.Load()
		after := append(slices.Clone(*before), render)
		if renderers.CompareAndSwap(before, &after) {
			return
		}
	}
}

// addressed is a pointer to a copy of v: the methods of a variable may be its pointer's.
func addressed(v any) (pointer any, ok bool) {
	t := reflect.TypeOf(v)
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || reflect.PointerTo(t).NumMethod() == t.NumMethod() {
		return nil, false
	}
	p := reflect.New(t)
	p.Elem().Set(reflect.ValueOf(v))
	return p.Interface(), true
}

// renderByMethods asks each of v's rendering methods. Plain text may be missing.
func renderByMethods(v any) (d Data, ok bool, err error) {
	rep := MIMEMap{}
	switch x := v.(type) {
	case TryRenderer:
		if d, err = x.TryRender(); err != nil {
			return Data{}, true, err
		}
		ok = true
	case Renderer:
		d, ok = x.Render(), true
	}
	maps.Copy(rep, d.Data)
	set := func(is bool, mimeType string, get func() any) {
		if is {
			rep[mimeType], ok = get(), true
		}
	}
	if x, is := v.(SimpleRenderer); is {
		maps.Copy(rep, x.SimpleRender())
		ok = true
	}
	html, is := v.(HTMLer)
	set(is, MIMETypeHTML, func() any { return html.HTML() })
	script, is := v.(JavaScripter)
	set(is, MIMETypeJavaScript, func() any { return script.JavaScript() })
	jpeg, is := v.(JPEGer)
	set(is, MIMETypeJPEG, func() any { return jpeg.JPEG() })
	json, is := v.(JSONer)
	set(is, MIMETypeJSON, func() any { return json.JSON() })
	latex, is := v.(Latexer)
	set(is, MIMETypeLatex, func() any { return latex.Latex() })
	markdown, is := v.(Markdowner)
	set(is, MIMETypeMarkdown, func() any { return markdown.Markdown() })
	png, is := v.(PNGer)
	set(is, MIMETypePNG, func() any { return png.PNG() })
	pdf, is := v.(PDFer)
	set(is, MIMETypePDF, func() any { return pdf.PDF() })
	svg, is := v.(SVGer)
	set(is, MIMETypeSVG, func() any { return svg.SVG() })
	if !ok {
		return Data{}, false, nil
	}
	return Data{Data: rep, Metadata: d.Metadata, Transient: d.Transient}, true, nil
}

// RenderResult gives what the last expression of a cell shows, by gophernotes' rule: the one
// value that renders if all others are nil, else all values as [Text] with blanks between
// them. Nothing but nil values gives a Data without representations, which shows nothing. The
// error is that of a [TryRenderer].
func RenderResult(values ...any) (Data, error) {
	nils, rendered, shown := 0, 0, Data{}
	for _, v := range values {
		if v == nil {
			nils++
		}
	}
	if nils == len(values) {
		return Data{}, nil
	}
	if nils == len(values)-1 {
		for _, v := range values {
			d, ok, err := Render(v)
			if err != nil {
				return Data{}, err
			}
			if ok {
				shown, rendered = d, rendered+1
			}
		}
		if rendered == 1 {
			return shown, nil
		}
	}
	text := make([]string, len(values))
	for i, v := range values {
		text[i] = Text(v)
	}
	return MakeData(MIMETypeText, strings.Join(text, " ")), nil
}

// withPlainText adds the printed form where there is no plain text: terminals and searches
// have nothing else.
func withPlainText(d Data, v any) Data {
	if s, has := d.Data[MIMETypeText]; has && s != "" {
		return d
	}
	rep := MIMEMap{}
	for k, b := range d.Data {
		rep[k] = b
	}
	switch x := v.(type) {
	case fmt.Stringer:
		rep[MIMETypeText] = x.String()
	case Data:
		rep[MIMETypeText] = ""
	case image.Image:
		rep[MIMETypeText] = fmt.Sprintf("image %d×%d", x.Bounds().Dx(), x.Bounds().Dy())
	default:
		rep[MIMETypeText] = Text(v)
	}
	d.Data = rep
	return d
}

// isNil tells nil and typed nil pointers, maps, slices and functions alike.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
		return r.IsNil()
	}
	return false
}
