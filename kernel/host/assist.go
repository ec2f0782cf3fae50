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
	Type string // function, variable, constant, type, field, method, module, keyword
}

// Complete lists what may stand at the cursor, a byte offset into code.
func (s *Session) Complete(code string, cursorBytes int) Completion {
	start, end, matches := cell.Completer{Session: s.currentModel(), Paths: s.currentArchives().Paths}.Complete(code, cursorBytes)
	c := Completion{Start: start, End: end}
	for _, m := range matches {
		c.Matches = append(c.Matches, Match{m.Text, m.Kind})
	}
	return c
}

// Inspect describes the name at the cursor by MIME type (text/plain, text/markdown): its signature and documentation,
// and for detail 1 its source where a cell declares it.
func (s *Session) Inspect(code string, cursorBytes, detail int) (data map[string]any, found bool) {
	d, ok := cell.Completer{Session: s.currentModel()}.Inspect(code, cursorBytes, s.currentArchives().Documentation)
	if !ok {
		return nil, false
	}
	source := d.Signature
	if detail > 0 && d.Source != "" {
		source = d.Source
	}
	doc := strings.TrimSpace(d.Doc)
	plain, markdown := source, "```go\n"+source+"\n```"
	if doc != "" {
		plain += "\n\n" + doc
		markdown += "\n\n" + doc
	}
	return map[string]any{"text/plain": plain, "text/markdown": markdown}, true
}

// IsComplete tells whether code can be run as it stands: complete, incomplete (indent is then the blanks that the next
// line should start with) or invalid. It needs no session: a terminal asks at every Return, also while a host starts.
func IsComplete(code string) (status, indent string) {
	if _, _, ok := question(code); ok {
		return "complete", ""
	}
	return cell.IsComplete(code)
}

func (s *Session) currentModel() *cell.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.model
}

func (s *Session) currentArchives() *cell.Archives {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.archives
}
