package expr

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"sync"

	"gomosaic/mdslib/plan"
)

// pattern is a compiled regular expression.
type pattern struct {
	*regexp.Regexp
	empty *regexp.Regexp // the same at the beginning of the text, if it can match without width; else nil
}

// compileRegex turns a Java regular expression into a Go one. What RE2 lacks (look-around, back-references, possessive
// quantifiers, intersections of classes) is refused; '.' and \s are given Java's meaning.
func compileRegex(text string) (*pattern, error) {
	translated, err := javaToGo(text)
	if err != nil {
		return nil, err
	}
	re, perr := regexp.Compile(translated)
	if perr == nil {
		p := &pattern{Regexp: re}
		if tree, err := syntax.Parse(translated, syntax.Perl); err == nil && re.MatchString("") && !looksBack(tree) {
			p.empty = regexp.MustCompile(`\A(?:` + translated + `)`)
		}
		return p, nil
	}
	e := fail("INVALID_PARAMETER_VALUE.PATTERN", "regular expression '%s': %v", text, perr)
	if s, ok := perr.(*syntax.Error); ok {
		e.Msg = "regular expression '" + text + "': " + s.Code.String() + ": '" + s.Expr + "'"
		if strings.HasPrefix(s.Expr, "(?") || s.Code == syntax.ErrInvalidEscape || s.Code == syntax.ErrInvalidRepeatOp {
			e.Hint = "look-around, back-references and possessive quantifiers aren't part of the subset"
		}
	}
	return nil, e
}

// looksBack reports whether a match depends on what stands before it.
func looksBack(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpBeginLine, syntax.OpBeginText, syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		return true
	}
	return slices.ContainsFunc(re.Sub, looksBack)
}

// all returns the matches as Java's Matcher.find gives them one after the other, each as FindStringSubmatchIndex does.
// Go passes over a match without width just behind another match; Java doesn't.
func (p *pattern) all(s string) [][]int {
	found := p.FindAllStringSubmatchIndex(s, -1)
	if p.empty == nil {
		return found
	}
	var all [][]int
	for i, m := range found {
		all = append(all, m)
		end := m[1]
		if m[0] == end || i+1 < len(found) && found[i+1][0] == end {
			continue
		}
		if e := p.empty.FindStringSubmatchIndex(s[end:]); e != nil && e[1] == 0 {
			for j := range e {
				if e[j] >= 0 {
					e[j] += end
				}
			}
			all = append(all, e)
		}
	}
	return all
}

func javaToGo(text string) (string, error) {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text):
			i++
			switch text[i] {
			case 's':
				if inClass {
					b.WriteString(`\s\x0b`)
				} else {
					b.WriteString(`[\s\x0b]`)
				}
			case 'S':
				if inClass {
					return "", fail("INVALID_PARAMETER_VALUE.PATTERN", `regular expression '%s': \S in a class isn't part of the subset`, text)
				}
				b.WriteString(`[^\s\x0b]`)
			case 'Q':
				end := strings.Index(text[i:], `\E`)
				if end < 0 {
					end = len(text) - i
				}
				b.WriteString(regexp.QuoteMeta(text[i+1 : i+end]))
				i += min(end+1, len(text)-i-1)
			case 'Z':
				b.WriteString(`\n?\z`)
			case 'h':
				if inClass {
					b.WriteString(`\t\p{Zs}`)
				} else {
					b.WriteString(`[\t\p{Zs}]`)
				}
			case 'u':
				if i+4 < len(text) {
					if n, err := strconv.ParseUint(text[i+1:i+5], 16, 32); err == nil {
						b.WriteString(`\x{` + strconv.FormatUint(n, 16) + `}`)
						i += 4
						continue
					}
				}
				return "", fail("INVALID_PARAMETER_VALUE.PATTERN", `regular expression '%s': \u needs four hexadecimal digits`, text)
			default:
				b.WriteByte('\\')
				b.WriteByte(text[i])
			}
		case inClass && (c == '[' && !strings.HasPrefix(text[i:], "[:") || strings.HasPrefix(text[i:], "&&")):
			return "", fail("INVALID_PARAMETER_VALUE.PATTERN", "regular expression '%s': classes within classes aren't part of the subset", text)
		case c == '[' && !inClass:
			inClass = true
			b.WriteByte(c)
			if i+1 < len(text) && text[i+1] == '^' {
				b.WriteByte('^')
				i++
			}
			if i+1 < len(text) && text[i+1] == ']' {
				b.WriteString(`\]`)
				i++
			}
		case c == ']' && inClass:
			inClass = false
			b.WriteByte(c)
		case c == '.' && !inClass && !strings.Contains(text, "(?s)"):
			b.WriteString(`[^\n\r\x{85}\x{2028}\x{2029}]`)
		case strings.HasPrefix(text[i:], "(?<") && !inClass && i+3 < len(text) && text[i+3] != '=' && text[i+3] != '!':
			b.WriteString("(?P<")
			i += 2
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// regexes compiles patterns once: a constant one when bound, others as they come, the last few kept.
type regexes struct {
	mu    sync.Mutex
	known map[string]*pattern
	make  func(string) (*pattern, error)
}

func (r *regexes) get(text string) (*pattern, error) {
	r.mu.Lock()
	re := r.known[text]
	r.mu.Unlock()
	if re != nil {
		return re, nil
	}
	re, err := r.make(text)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known == nil || len(r.known) > 100 {
		r.known = map[string]*pattern{}
	}
	r.known[text] = re
	return re, nil
}

// newRegexes makes the compiler for a pattern argument. A constant pattern is compiled now, so that its errors come
// before the first row.
func newRegexes(arg *node, compile func(string) (*pattern, error)) (*regexes, error) {
	r := &regexes{make: compile}
	if arg.constant {
		if v, err := arg.value(); err == nil {
			if s, ok := v.(string); ok {
				if _, err := r.get(s); err != nil {
					return nil, placed(err, arg.pos)
				}
			}
		}
	}
	return r, nil
}

// like is LIKE, ILIKE and RLIKE.
func (b *binder) like(e *plan.Like, x, arg *node) (*node, error) {
	x, err := b.implicit(x, plan.Of(plan.String))
	if err != nil {
		return nil, err
	}
	if arg, err = b.implicit(arg, plan.Of(plan.String)); err != nil {
		return nil, err
	}
	compile := compileRegex
	if e.Op != "RLIKE" {
		compile = func(p string) (*pattern, error) { return likeRegex(p, e.Escape, e.Op == "ILIKE") }
	}
	res, err := newRegexes(arg, compile)
	if err != nil {
		return nil, err
	}
	return strictNode(boolean, []*node{x, arg}, func(a []any) (any, error) {
		re, err := res.get(a[1].(string))
		if err != nil {
			return nil, err
		}
		return re.MatchString(a[0].(string)), nil
	}), nil
}

// likeRegex is StringUtils.escapeLikeRegex: _ any character, % any run of them, the escape character before one of the
// three.
func likeRegex(like string, escape rune, fold bool) (*pattern, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	if fold {
		b.WriteString(`(?i)`)
	}
	runes := []rune(like)
	for i := 0; i < len(runes); i++ {
		switch c := runes[i]; {
		case c == escape:
			i++
			if i == len(runes) || runes[i] != '_' && runes[i] != '%' && runes[i] != escape {
				return nil, fail("INVALID_FORMAT", "LIKE pattern '%s': %c must stand before _, %% or itself", like, escape)
			}
			b.WriteString(regexp.QuoteMeta(string(runes[i])))
		case c == '_':
			b.WriteByte('.')
		case c == '%':
			b.WriteString(".*")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	return &pattern{Regexp: re}, err
}

// javaReplacement writes what a Java replacement stands for: $1 or ${name} groups, \ before a character taken as it is.
func javaReplacement(b *strings.Builder, replacement, s string, re *pattern, match []int) error {
	group := func(n int) {
		if match[2*n] >= 0 {
			b.WriteString(s[match[2*n]:match[2*n+1]])
		}
	}
	for i := 0; i < len(replacement); i++ {
		switch c := replacement[i]; {
		case c == '\\' && i+1 < len(replacement):
			i++
			b.WriteByte(replacement[i])
		case c == '$' && i+1 < len(replacement) && replacement[i+1] == '{':
			end := strings.IndexByte(replacement[i:], '}')
			n := -1
			if end > 0 {
				n = re.SubexpIndex(replacement[i+2 : i+end])
			}
			if n < 0 {
				return fail("", "replacement '%s': no such group", replacement)
			}
			group(n)
			i += end
		case c == '$':
			n, digits := 0, 0
			for j := i + 1; j < len(replacement) && replacement[j] >= '0' && replacement[j] <= '9'; j++ {
				m := 10*n + int(replacement[j]-'0')
				if digits > 0 && m > re.NumSubexp() {
					break
				}
				n, digits = m, digits+1
			}
			if digits == 0 || n > re.NumSubexp() {
				e := fail("", "replacement '%s': the pattern has %d groups", replacement, re.NumSubexp())
				e.Hint = `write \\$ for a dollar sign`
				return e
			}
			group(n)
			i += digits
		default:
			b.WriteByte(c)
		}
	}
	return nil
}

// splitJava is String.split with a limit as Spark calls it: limit <= 0 keeps all parts, empty ones at the end too.
func splitJava(s string, re *pattern, limit int) []any {
	var parts []any
	start := 0
	for _, m := range re.all(s) {
		if limit > 0 && len(parts) == limit-1 {
			break
		}
		if m[1] == 0 {
			continue // a match without width at the beginning makes no part
		}
		parts = append(parts, s[start:m[0]])
		start = m[1]
	}
	return append(parts, s[start:])
}
