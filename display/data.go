package display

// Data: a rendered value, a bundle of representations of one thing by MIME type. The
// names and signatures here are gophernotes' display API, so its notebooks run unchanged.
// Made by everything that renders, used by the publisher.

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// MIME types of the representations that Jupyter's front-ends know.
const (
	MIMETypeHTML       = "text/html"
	MIMETypeJavaScript = "application/javascript"
	MIMETypeJPEG       = "image/jpeg"
	MIMETypeJSON       = "application/json"
	MIMETypeLatex      = "text/latex"
	MIMETypeMarkdown   = "text/markdown"
	MIMETypePNG        = "image/png"
	MIMETypePDF        = "application/pdf"
	MIMETypeSVG        = "image/svg+xml"
	MIMETypeText       = "text/plain"
)

// MIMEMap maps a MIME type to its representation: a string, a []byte (sent as base64,
// which is what encoding/json makes of it) or a value that encodes as JSON.
type MIMEMap = map[string]any

// Data is one rendered value: its representations, what is known about them, and what
// concerns this showing only ("display_id"). It is an alias of an unnamed struct so that a
// library can implement [Renderer] without importing this package.
type Data = struct {
	Data      MIMEMap
	Metadata  MIMEMap
	Transient MIMEMap
}

// Any renders data, a renderable value, string, []byte, io.Reader or io.WriterTo, as the
// given MIME type; an empty mimeType means: by what the bytes look like. It panics where
// data is none of these or fails to render.
func Any(mimeType string, data any) Data {
	if d, ok, err := Render(data); ok {
		if err != nil {
			panic(err)
		}
		return d
	}
	var raw []byte
	switch v := data.(type) {
	case string:
		if mimeType == "" {
			mimeType = MIMETypeText
		}
		return MakeData(mimeType, v)
	case []byte:
		raw = v
	case io.Reader:
		b, err := io.ReadAll(v)
		if err != nil {
			panic(fmt.Errorf("display: reading %T: %w", data, err))
		}
		raw = b
	case io.WriterTo:
		var buf bytes.Buffer
		if _, err := v.WriteTo(&buf); err != nil {
			panic(fmt.Errorf("display: reading %T: %w", data, err))
		}
		raw = buf.Bytes()
	default:
		panic(fmt.Errorf("display: cannot render a %T as %q", data, mimeType))
	}
	if mimeType == "" {
		mimeType = sniff(raw)
	}
	return fromBytes(mimeType, raw)
}

// Auto renders data as [Any] does, as the MIME type that it looks like.
func Auto(data any) Data { return Any("", data) }

// File renders the content of a file; an empty mimeType means: by the file's name, else by
// what the bytes look like. It panics where the file cannot be read.
func File(mimeType, path string) Data {
	raw, err := os.ReadFile(path)
	if err != nil {
		panic(fmt.Errorf("display: %w", err))
	}
	if mimeType == "" {
		mimeType = byExtension[strings.ToLower(filepath.Ext(path))]
	}
	if mimeType == "" {
		mimeType = sniff(raw)
	}
	return fromBytes(mimeType, raw)
}

// HTML renders a string of HTML as it stands: escape what is not yours.
func HTML(html string) Data { return MakeData(MIMETypeHTML, html) }

// JavaScript renders a script. Front-ends differ: JupyterLab runs it in a trusted
// notebook, others show its text.
func JavaScript(javascript string) Data { return MakeData(MIMETypeJavaScript, javascript) }

// JPEG renders an encoded JPEG image.
func JPEG(jpeg []byte) Data { return fromBytes(MIMETypeJPEG, jpeg) }

// JSON renders a JSON object, as a tree where the front-end has one.
func JSON(json map[string]any) Data { return MakeData(MIMETypeJSON, json) }

// Latex renders a formula in the line; the $ around it may be left out.
func Latex(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$"+strings.Trim(latex, "$")+"$")
}

// Markdown renders Markdown.
func Markdown(markdown string) Data { return MakeData(MIMETypeMarkdown, markdown) }

// Math renders a formula in its own paragraph; the $$ around it may be left out.
func Math(latex string) Data {
	return MakeData3(MIMETypeLatex, latex, "$$"+strings.Trim(latex, "$")+"$$")
}

// PDF renders a PDF document.
func PDF(pdf []byte) Data { return fromBytes(MIMETypePDF, pdf) }

// PNG renders an encoded PNG image.
func PNG(png []byte) Data { return fromBytes(MIMETypePNG, png) }

// SVG renders an SVG image. JupyterLab does not show it in an untrusted notebook; a
// [Chart] has no such limit.
func SVG(svg string) Data { return MakeData(MIMETypeSVG, svg) }

// Image renders an image as PNG.
func Image(img image.Image) Data {
	var buf bytes.Buffer
	b := img.Bounds()
	if err := png.Encode(&buf, img); err != nil {
		return MakeData(MIMETypeText, fmt.Sprintf("image %d×%d: %v", b.Dx(), b.Dy(), err))
	}
	d := MakeData3(MIMETypePNG, fmt.Sprintf("image %d×%d", b.Dx(), b.Dy()), buf.Bytes())
	d.Metadata = MIMEMap{MIMETypePNG: MIMEMap{"width": b.Dx(), "height": b.Dy()}}
	return d
}

// MIME renders ready-made representations with their metadata.
func MIME(data, metadata MIMEMap) Data { return Data{Data: data, Metadata: metadata} }

// MakeData renders data as one MIME type, with its printed form as plain text beside it.
func MakeData(mimeType string, data any) Data {
	d := Data{Data: MIMEMap{mimeType: data}}
	if mimeType != MIMETypeText {
		d.Data[MIMETypeText] = fmt.Sprint(data)
	}
	return d
}

// MakeData3 renders data as one MIME type with the given plain text beside it.
func MakeData3(mimeType, plaintext string, data any) Data {
	return Data{Data: MIMEMap{MIMETypeText: plaintext, mimeType: data}}
}

// fromBytes keeps text as strings and everything else as bytes, with a short description in
// place of a page of numbers as plain text.
func fromBytes(mimeType string, raw []byte) Data {
	if strings.HasPrefix(mimeType, "text/") || mimeType == MIMETypeSVG || mimeType == MIMETypeJavaScript {
		return MakeData(mimeType, string(raw))
	}
	return MakeData3(mimeType, fmt.Sprintf("%s, %s bytes", mimeType, groupDigits(len(raw))), raw)
}

// byExtension is what File needs of the machine's own table, equal on every machine.
var byExtension = map[string]string{
	".html": MIMETypeHTML, ".htm": MIMETypeHTML, ".js": MIMETypeJavaScript, ".json": MIMETypeJSON,
	".jpg": MIMETypeJPEG, ".jpeg": MIMETypeJPEG, ".png": MIMETypePNG, ".gif": "image/gif", ".webp": "image/webp",
	".svg": MIMETypeSVG, ".pdf": MIMETypePDF, ".md": MIMETypeMarkdown, ".tex": MIMETypeLatex, ".txt": MIMETypeText,
}

// sniff tells the MIME type of encoded bytes by their first bytes (the WHATWG MIME sniffing
// table, as far as notebooks show it).
func sniff(raw []byte) string {
	switch {
	case bytes.HasPrefix(raw, []byte("\x89PNG\r\n\x1a\n")):
		return MIMETypePNG
	case bytes.HasPrefix(raw, []byte("\xff\xd8\xff")):
		return MIMETypeJPEG
	case bytes.HasPrefix(raw, []byte("GIF87a")), bytes.HasPrefix(raw, []byte("GIF89a")):
		return "image/gif"
	case len(raw) >= 12 && string(raw[:4]) == "RIFF" && string(raw[8:12]) == "WEBP":
		return "image/webp"
	case bytes.HasPrefix(raw, []byte("%PDF-")):
		return MIMETypePDF
	}
	head := strings.ToLower(string(bytes.TrimSpace(raw[:min(len(raw), 512)])))
	switch {
	case strings.HasPrefix(head, "<svg"), strings.HasPrefix(head, "<?xml") && strings.Contains(head, "<svg"):
		return MIMETypeSVG
	case strings.HasPrefix(head, "<!doctype html"), strings.HasPrefix(head, "<html"):
		return MIMETypeHTML
	case strings.ContainsRune(head, 0):
		return "application/octet-stream"
	}
	return MIMETypeText
}
