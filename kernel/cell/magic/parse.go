package magic

import (
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Cell is a cell's text taken apart.
type Cell struct {
	// Go is the text with everything blanked that is not Go, so that lines and columns stay what they are. Expressions
	// within a shell line stay too, each as a statement of its own (see Part).
	Go   string
	Uses []Use // in the order of the text
}

// Use is a magic used in a cell.
type Use struct {
	Magic
	Whole       bool         // %%name: the cell is its body
	Offset, End int          // bytes of the cell: from the % to the end of the text or Go that belongs to it
	Args        string       // what stands behind the name, without options that Flags names; of a Code magic the Go of this line
	Numbers     map[byte]int // options of Flags
	Body        string       // of a cell magic that is not of kind Code: the lines below the first
	Parts       []Part       // of a shell line: its text
}

// Part is a piece of a shell line: text, or a Go expression that stands in Cell.Go at Offset, followed by a semicolon.
type Part struct {
	Text   string
	IsGo   bool
	Offset int
}

// Problem is a magic used wrongly.
type Problem struct {
	Offset        int // byte of the cell
	Message, Hint string
}

// Parse takes code apart, whose line ends are \n. known tells which names the session has beside those that stand in
// the cell's Go above: `!ok` is a Go expression where ok is a known name, and {name} in a shell line its value.
func Parse(code string, known func(name string) bool) (Cell, []Problem) {
	p := &parse{code: code, text: []byte(code), known: known, seen: map[string]bool{}, open: -1}
	p.run()
	p.cell.Go = string(p.text)
	return p.cell, p.problems
}

type parse struct {
	code     string
	text     []byte // becomes Cell.Go
	known    func(string) bool
	seen     map[string]bool // identifiers of the Go above
	cell     Cell
	problems []Problem
	open     int // index of the line magic in whose Go the scanner is, or -1
}

func (p *parse) run() {
	at := len(p.code) - len(strings.TrimLeft(p.code, " \t\n"))
	if strings.HasPrefix(p.code[at:], "%%") {
		at = p.use(at)
	} else {
		at = 0
	}
	for at < len(p.code) {
		at = p.scan(at)
	}
}

// scan reads Go from at on, up to the next magic, and returns where Go goes on behind that magic's name or line.
func (p *parse) scan(at int) int {
	file := token.NewFileSet().AddFile("", -1, len(p.code)-at)
	var sc scanner.Scanner
	sc.Init(file, p.text[at:], func(token.Position, string) {}, 0)
	depth, start := 0, true
	for {
		pos, tok, text := sc.Scan()
		offset := at + file.Offset(pos)
		if tok == token.EOF {
			p.close(len(p.code))
			return len(p.code)
		}
		if start && depth == 0 && p.startsLine(offset) && p.isMagic(offset, tok) {
			p.close(offset)
			return p.use(offset)
		}
		switch tok {
		case token.IDENT:
			p.seen[text] = true
		case token.LPAREN, token.LBRACE, token.LBRACK:
			depth++
		case token.RPAREN, token.RBRACE, token.RBRACK:
			depth = max(depth-1, 0)
		}
		start = tok == token.SEMICOLON
		if start && depth == 0 && text == "\n" {
			p.close(offset)
		}
	}
}

// close ends the Go of the line magic that is open.
func (p *parse) close(at int) {
	if p.open >= 0 {
		p.cell.Uses[p.open].End = at
		p.open = -1
	}
}

func (p *parse) startsLine(offset int) bool {
	line := p.code[strings.LastIndexByte(p.code[:offset], '\n')+1 : offset]
	return strings.TrimLeft(line, " \t") == ""
}

// isMagic tells whether the token that starts a statement starts a magic. No Go statement starts with % or $; one that
// starts with ! can only be a cell's last expression.
func (p *parse) isMagic(offset int, tok token.Token) bool {
	switch tok {
	case token.REM:
		return true
	case token.ILLEGAL:
		return p.code[offset] == '$'
	case token.NOT:
		return !p.isGo(p.line(offset))
	}
	return false
}

// isGo tells whether text is an expression that starts with a known name.
func (p *parse) isGo(text string) bool {
	names := identifiers(text)
	return len(names) > 0 && p.isKnown(names[0])
}

func (p *parse) isKnown(name string) bool {
	return p.seen[name] || p.known != nil && p.known(name)
}

// identifiers are those of an expression, in their order; none if text is not one.
func identifiers(text string) []string {
	e, err := parser.ParseExpr(text)
	if err != nil {
		return nil
	}
	var names []string
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			names = append(names, id.Name)
		}
		return true
	})
	return names
}

// line is the line from offset on, with those that a backslash at the end adds.
func (p *parse) line(offset int) string {
	end := offset
	for {
		i := strings.IndexByte(p.code[end:], '\n')
		if i < 0 {
			return p.code[offset:]
		}
		if end += i; !strings.HasSuffix(p.code[offset:end], "\\") {
			return p.code[offset:end]
		}
		end++
	}
}

// use takes the magic at offset out of the text and returns where Go goes on.
func (p *parse) use(offset int) int {
	line := p.line(offset)
	end := offset + len(line)
	u := Use{Offset: offset, End: end}
	mark, name := "", Shell
	rest := line[1:]
	if line[0] == '%' {
		rest = strings.TrimLeft(line, "%")
		mark = line[:len(line)-len(rest)]
		name = rest[:wordEnd(rest)]
		rest = rest[len(name):]
	}
	u.Args = strings.TrimSpace(rest)
	var known bool
	u.Magic, known = find(name)
	u.Whole = mark == "%%"
	fail := func(message, hint string) int {
		p.problems = append(p.problems, Problem{offset, message, hint})
		p.blank(offset, end)
		return end
	}
	switch {
	case name == "" || len(mark) > 2:
		return fail("a magic is %name, or %%name for the whole cell", "%help lists them")
	case !known:
		hint := "%help lists the magics"
		if other := elsewhere(name); other != "" {
			hint = other
		} else if near := nearest(name); near != "" {
			hint = "did you mean " + near + "?"
		}
		return fail("there is no magic "+mark+name, hint)
	case u.Whole && !u.Cell:
		return fail(u.Name+" is no magic of a whole cell", "usage: "+u.Usage)
	case u.Whole && strings.TrimSpace(p.code[:offset]) != "":
		return fail("%%"+name+" must be the cell's first line", "")
	case mark == "%" && !u.Line:
		return fail(u.Name+" is a magic of a whole cell: %%"+u.Name+" on its first line", "usage: "+u.Usage)
	}
	if u.Kind == Code {
		return p.takeGo(u, offset+len(mark)+len(name), end)
	}
	if u.Args == "" && !u.Bare {
		return fail("an argument is missing", "usage: "+u.Usage)
	}
	if u.Args != "" && u.takesNothing() {
		return fail(u.String()+" takes no arguments, got "+u.Args, "")
	}
	if u.Whole {
		u.Body = strings.TrimPrefix(p.code[end:], "\n")
		u.End = len(p.code)
	}
	p.blank(offset, u.End)
	if u.Name == Shell {
		p.parts(&u, end-len(strings.TrimLeft(rest, " \t")), end)
	}
	p.cell.Uses = append(p.cell.Uses, u)
	return u.End
}

// takeGo takes off the name and the options, and leaves the Go behind them.
func (p *parse) takeGo(u Use, from, end int) int {
	u.Numbers = map[byte]int{}
	for {
		rest := p.code[from:end]
		word := strings.TrimLeft(rest, " \t")
		if len(word) < 2 || word[0] != '-' || !strings.ContainsRune(u.Flags, rune(word[1])) {
			break
		}
		digits := strings.TrimLeft(word[2:], " \t")
		n := len(digits) - len(strings.TrimLeft(digits, "0123456789"))
		value, err := strconv.Atoi(digits[:n])
		if err != nil {
			break // -n of a variable n
		}
		u.Numbers[word[1]] = value
		from = end - len(digits) + n
	}
	p.blank(u.Offset, from)
	u.Args = strings.TrimSpace(p.code[from:end])
	switch {
	case u.Whole:
		u.End = len(p.code)
	case u.Args != "":
		p.open = len(p.cell.Uses)
	case !u.Bare:
		p.problems = append(p.problems, Problem{u.Offset, "what to run is missing", "usage: " + u.Usage})
		return from
	}
	p.cell.Uses = append(p.cell.Uses, u)
	return from
}

// parts splits the text of a shell line at its Go expressions, which it puts back into Cell.Go.
func (p *parse) parts(u *Use, from, end int) {
	at := from
	for i := from; i < end; i++ {
		if p.code[i] != '{' || i > from && strings.IndexByte("$\\", p.code[i-1]) >= 0 {
			continue
		}
		n := strings.IndexByte(p.code[i:end], '}')
		if n < 0 {
			break
		}
		expr := p.code[i+1 : i+n]
		if strings.ContainsAny(expr, "\n\\") || !slices.ContainsFunc(identifiers(expr), p.isKnown) {
			continue
		}
		if i > at {
			u.Parts = append(u.Parts, Part{Text: p.code[at:i]})
		}
		u.Parts = append(u.Parts, Part{Text: expr, IsGo: true, Offset: i + 1})
		copy(p.text[i+1:], expr)
		p.text[i+n] = ';'
		i += n
		at = i + 1
	}
	if text := strings.TrimRight(p.code[at:end], " \t"); text != "" {
		u.Parts = append(u.Parts, Part{Text: text})
	}
}

func (p *parse) blank(from, to int) {
	for i := from; i < to; i++ {
		if p.text[i] != '\n' {
			p.text[i] = ' '
		}
	}
}

func wordEnd(text string) int {
	for i, r := range text {
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return i
		}
	}
	return len(text)
}
