package mdslib

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"gomosaic/display"
)

// screen collects what is published.
type screen struct{ html strings.Builder }

func (s *screen) Publish(d display.Data, _ bool) error {
	fmt.Fprintln(&s.html, d.Data[display.MIMETypeHTML])
	return nil
}

// TestWriterProgressBar: the bar counts samples and ends with the writer, well or not.
func TestWriterProgressBar(t *testing.T) {
	opts := MDSOptions{Columns: Columns{"n": "int64"}, SizeLimit: "1kb", ProgressBar: true}
	for name, c := range map[string]struct {
		end  func(w *MDSWriter) error
		want []string
	}{
		"closed":  {(*MDSWriter).Close, []string{"writing MDS", "500sample", "shards=", "written="}},
		"failed":  {func(w *MDSWriter) error { return errors.Join(w.Write(Sample{"n": "x"}), w.Close()) }, []string{"writing MDS", "want int64, got string"}},
		"aborted": {(*MDSWriter).Abort, []string{"writing MDS", "shards="}},
	} {
		s := &screen{}
		restore := display.SetPublisher(s)
		opts.Out = filepath.Join(t.TempDir(), "out")
		w, err := NewMDSWriter(opts)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 500 {
			if err := w.Write(Sample{"n": i}); err != nil {
				t.Fatal(err)
			}
		}
		err = c.end(w)
		display.Flush()
		restore()
		for _, want := range c.want {
			if got := s.html.String(); !strings.Contains(got, want) {
				t.Errorf("%s (%v): want %q in\n%s", name, err, want, got)
			}
		}
	}
}
