package host

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
	return Completion{Start: cursorBytes, End: cursorBytes}
}

// Inspect describes the name at the cursor by MIME type (text/plain, text/markdown): its signature and documentation,
// and for detail 1 its source where it is known.
func (s *Session) Inspect(code string, cursorBytes, detail int) (data map[string]any, found bool) {
	return nil, false
}

// IsComplete tells whether code can be run as it stands: complete, incomplete (indent is then the blanks that the next
// line should start with), invalid or unknown.
func (s *Session) IsComplete(code string) (status, indent string) { return "unknown", "" }
