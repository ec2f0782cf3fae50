package host

import "regexp"

var questionForm = regexp.MustCompile(`^\s*(\?{0,2})([\pL_][\pL\d_.]*)(\?{0,2})\s*$`)

// question takes a cell such as `fmt.Println?` apart, IPython's way to ask for help; two marks, or the mark in front, are
// allowed. detail is 1 for `??`.
func question(code string) (expression string, detail int, ok bool) {
	m := questionForm.FindStringSubmatch(code)
	if m == nil || (m[1] == "") == (m[3] == "") {
		return "", 0, false
	}
	return m[2], len(m[1]+m[3]) - 1, true
}

// answer gives what Inspect knows to the client's pager.
func (s *Session) answer(expression string, detail int, out Output) error {
	data, found := s.Inspect(expression, len(expression), detail)
	if !found {
		text := "nothing is known of " + expression
		return &CellError{Name: "not found", Value: text, Traceback: []string{text}}
	}
	out.Payload(map[string]any{"source": "page", "data": data, "start": 0})
	return nil
}
