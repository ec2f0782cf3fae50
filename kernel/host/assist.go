package host

import (
	"strings"

	"gomosaic/kernel/cell"
)

// Completion is the answer to a completion request: Matches replace the bytes [Start, End) of the code.
type Completion struct {
	Start, End int // byte offsets
	Matches    []Match
}

// Match is one possible completion.
type Match struct {
	Text string
	Type string // function, variable, constant, type, field, method, module, keyword, label, magic, path
}

// Complete lists what may stand at the cursor, a byte offset into code. It waits for no cell.
func (s *Session) Complete(code string, cursorBytes int) Completion {
	start, end, matches := s.completer().Complete(code, cursorBytes)
	c := Completion{Start: start, End: end}
	for _, m := range matches {
		c.Matches = append(c.Matches, Match{m.Text, m.Kind})
	}
	return c
}

func (s *Session) completer() cell.Completer {
	s.mu.Lock()
	model, archives, dir, p := s.model, s.archives, s.options.Dir, s.host
	s.mu.Unlock()
	if p != nil {
		dir = p.workingDir(dir)
	}
	return cell.Completer{Session: model, Dir: dir, Paths: archives.Paths, Names: archives.Names}
}

// Inspect describes the name at the cursor by MIME type (text/plain, text/markdown): its signature, where it is declared,
// the value of a variable, its documentation and an example; for detail 1 its source.
func (s *Session) Inspect(code string, cursorBytes, detail int) (data map[string]any, found bool) {
	s.mu.Lock()
	archives := s.archives
	s.mu.Unlock()
	d, ok := s.completer().Inspect(code, cursorBytes, archives.Documentation)
	if !ok {
		return nil, false
	}
	var plain, markdown []string
	add := func(text, marked string) {
		if text != "" {
			plain, markdown = append(plain, text), append(markdown, marked)
		}
	}
	goCode := func(text string) string { return "```go\n" + text + "\n```" }
	if detail > 0 && d.Source != "" {
		add(d.Source, goCode(d.Source))
	} else {
		add(d.Signature, goCode(d.Signature))
	}
	if d.Variable != nil {
		value := s.peek(*d.Variable)
		add(value, goCode(value))
	}
	add(d.Where, "*"+d.Where+"*")
	add(d.Doc.Text, d.Doc.Markdown)
	if d.Doc.Example != "" {
		add("Example:\n\n"+d.Doc.Example, "Example:\n"+goCode(d.Doc.Example))
	}
	if d.Doc.Link != "" {
		add(d.Doc.Link, "<"+d.Doc.Link+">")
	}
	return map[string]any{"text/plain": strings.Join(plain, "\n\n"), "text/markdown": strings.Join(markdown, "\n\n")}, true
}

// IsComplete tells whether code can be run as it stands: complete, incomplete (indent is then the blanks that the next
// line should start with) or invalid. It needs no session: a terminal asks at every Return, also while a host starts.
func IsComplete(code string) (status, indent string) {
	if _, _, ok := question(code); ok {
		return "complete", ""
	}
	return cell.IsComplete(code)
}
