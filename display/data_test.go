package display

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDataHasGophernotesForms(t *testing.T) {
	raw := []byte("\xff\xd8\xff\xe0 jpeg")
	for name, c := range map[string]struct {
		got  Data
		mime string
		want any
		text string
	}{
		"HTML":       {HTML("<b>x</b>"), MIMETypeHTML, "<b>x</b>", "<b>x</b>"},
		"JavaScript": {JavaScript("f()"), MIMETypeJavaScript, "f()", "f()"},
		"Markdown":   {Markdown("*x*"), MIMETypeMarkdown, "*x*", "*x*"},
		"SVG":        {SVG("<svg/>"), MIMETypeSVG, "<svg/>", "<svg/>"},
		"Latex":      {Latex("x^2"), MIMETypeLatex, "$x^2$", "x^2"},
		"Latex $":    {Latex("$x$"), MIMETypeLatex, "$x$", "$x$"},
		"Math":       {Math("x^2"), MIMETypeLatex, "$$x^2$$", "x^2"},
		"JPEG":       {JPEG(raw), MIMETypeJPEG, raw, "image/jpeg, 9 bytes"},
		"Any text":   {Any("", "hello"), MIMETypeText, "hello", "hello"},
		"Any reader": {Any("", bytes.NewReader(raw)), MIMETypeJPEG, raw, "image/jpeg, 9 bytes"},
		"Auto svg":   {Auto([]byte("<svg xmlns='x'/>")), MIMETypeSVG, "<svg xmlns='x'/>", "<svg xmlns='x'/>"},
		"MakeData3":  {MakeData3("a/b", "plain", 7), "a/b", 7, "plain"},
	} {
		got := c.got.Data[c.mime]
		if b, is := got.([]byte); is {
			if !bytes.Equal(b, c.want.([]byte)) {
				t.Errorf("%s: %s = %q, want %q", name, c.mime, b, c.want)
			}
		} else if got != c.want {
			t.Errorf("%s: %s = %v, want %v", name, c.mime, got, c.want)
		}
		if c.got.Data[MIMETypeText] != c.text {
			t.Errorf("%s: text/plain = %q, want %q", name, c.got.Data[MIMETypeText], c.text)
		}
	}
}

func TestImageIsPNGWithItsSize(t *testing.T) {
	d := Image(image.NewGray(image.Rect(0, 0, 3, 2)))
	img, err := png.Decode(bytes.NewReader(d.Data[MIMETypePNG].([]byte)))
	if err != nil || img.Bounds().Dx() != 3 || img.Bounds().Dy() != 2 {
		t.Fatalf("decoded %v, %v", img, err)
	}
	if d.Data[MIMETypeText] != "image 3×2" {
		t.Errorf("text/plain = %q", d.Data[MIMETypeText])
	}
	wire, err := json.Marshal(d)
	if err != nil || !strings.Contains(string(wire), `"image/png":"iVBORw0KGgo`) {
		t.Errorf("JSON %.80s, %v: want base64", wire, err)
	}
}

func TestFileByNameByContentAndMissing(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if d := File("", write("note.md", "# x")); d.Data[MIMETypeMarkdown] != "# x" {
		t.Errorf("note.md: %v", d.Data)
	}
	if d := File("", write("picture", "\x89PNG\r\n\x1a\n…")); d.Data[MIMETypePNG] == nil {
		t.Errorf("picture: %v", d.Data)
	}
	if d := File(MIMETypeText, write("a.html", "<p>")); d.Data[MIMETypeText] != "<p>" || d.Data[MIMETypeHTML] != nil {
		t.Errorf("a.html as text: %v", d.Data)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(error).Error(), "absent.png") {
			t.Errorf("missing file: panic %v, want one that names it", r)
		}
	}()
	File("", filepath.Join(dir, "absent.png"))
}

func TestAnyPanicsOnWhatItCannotRender(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(error).Error(), "int") {
			t.Errorf("panic %v, want one that names the type", r)
		}
	}()
	Any("", 7)
}
