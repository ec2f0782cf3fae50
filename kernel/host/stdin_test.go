package host

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// answers is a user who types lines.
func answers(lines ...string) *recorder {
	r := &recorder{}
	r.input = func(prompt string, password bool) (string, error) {
		r.add("?")
		if len(lines) == 0 {
			return "", errors.New("this client takes no input")
		}
		line := lines[0]
		lines = lines[1:]
		return line, nil
	}
	return r
}

func TestStandardInput(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"bufio\"; \"fmt\"; \"io\"; \"os\"; \"os/exec\"; \"syscall\"; \"time\")\nin := bufio.NewReader(os.Stdin)", "")
	for _, test := range []struct {
		code, want string
		lines      []string
	}{
		{"fmt.Print(\"name: \")\nline, err := in.ReadString('\\n')\nfmt.Printf(\"%q %v\\n\", line, err)", "name: ?\"Ann\\n\" <nil>\n", []string{"Ann"}},
		{"line2, _ := in.ReadString('\\n')\nline3, _ := in.ReadString('\\n')\nfmt.Print(line2, line3)", "??b\nc\n", []string{"b", "c"}},
		{"var a, b int\nk, err2 := fmt.Scan(&a, &b)\nfmt.Println(a+b, k, err2)", "?42 2 <nil>\n", []string{"40 2"}},
		{"sc := bufio.NewScanner(os.Stdin)\nfor sc.Scan() { fmt.Print(sc.Text(), \";\") }\nfmt.Println(sc.Err())", "?x;?y;?<nil>\n", []string{"x", "y", endOfInput}},
		{"all, err3 := io.ReadAll(os.Stdin)\nfmt.Printf(\"%q %v\\n\", all, err3)", "??\"long" + strings.Repeat("g", 100_000) + "\\n\" <nil>\n", []string{"long" + strings.Repeat("g", 100_000), endOfInput}},
		{"_, err4 := in.ReadString('\\n')\nfmt.Println(err4)", "?standard input is at its end: this client takes no input\nEOF\n", nil},
		{"raw := make([]byte, 9)\nk, err5 := syscall.Read(0, raw)\nfmt.Printf(\"%q %v\\n\", raw[:k], err5)", "?\"raw\\n\" <nil>\n", []string{"raw"}},
		// A thread that is about to read, or has read and was not let run since, asks for nothing.
		{"conn, _ := os.Stdin.SyscallConn()\nconn.Read(func(uintptr) bool { time.Sleep(500*time.Millisecond); return true })\nfmt.Println(\"not read\")", "not read\n", nil},
		{"line5, _ := in.ReadString('\\n')\nfmt.Print(line5)", "?again\n", []string{"again"}},
	} {
		out := answers(test.lines...)
		n.count++
		if err := n.Execute(t.Context(), test.code, n.count, out); err != nil {
			t.Fatalf("%s\n%v", test.code, err)
		}
		if got := out.text(); got != test.want {
			t.Errorf("%s\ngave %.300q, want %.300q", test.code, got, test.want)
		}
	}
	n.want("out, err6 := exec.Command(\"cat\").Output()\nfmt.Println(len(out), err6)", "0 <nil>")
}

// TestInterruptInput: a cell that waits for the user stops at once, whether or not it looks at the error.
func TestInterruptInput(t *testing.T) {
	n := openNotebook(t)
	n.want("import (\"bufio\"; \"fmt\"; \"os\")\nin := bufio.NewReader(os.Stdin)", "")
	for _, code := range []string{
		"line, err := in.ReadString('\\n')\ncheck(err)\nline",
		"for { var s string; fmt.Scanln(&s) }",
		"display.Input(\"name\")\nfor {}",
		"check1(display.Input(\"name\"))",
	} {
		inTime(t, 5*stopped, code, func() time.Duration {
			asked, stop := make(chan bool, 1), make(chan bool)
			out := &recorder{input: func(string, bool) (string, error) {
				select {
				case asked <- true:
				default:
				}
				<-stop
				return "", errors.New("interrupted")
			}}
			n.count++
			done := make(chan error, 1)
			go func() { done <- n.Execute(t.Context(), code, n.count, out) }()
			<-asked
			at := time.Now()
			n.Interrupt()
			close(stop) // as the front does
			var e *CellError
			if err := <-done; !errors.As(err, &e) || e.Name != "interrupted" {
				t.Errorf("%s\ngave %v", code, err)
			}
			return time.Since(at)
		})
	}
	out := answers("fine")
	if err := n.Execute(t.Context(), "var word string\nfmt.Scanln(&word)\nfmt.Println(word)", 9, out); err != nil || out.text() != "?fine\n" {
		t.Errorf("the next cell read %q, %v", out.text(), fmt.Sprint(err))
	}
}
