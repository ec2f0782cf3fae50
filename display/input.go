package display

// Questions to the user, answered in the front-end while the cell waits.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// asker is a [Publisher] that can also ask the user; the cell host's is one. Input ends with ctx, and when the running
// cell is interrupted.
type asker interface {
	Input(ctx context.Context, prompt string, password bool) (string, error)
}

// errNoPassword is what [Password] says outside of a notebook.
var errNoPassword = errors.New("display: Password: no notebook is there to ask; the terminal would show what is typed")

// Input asks the user for one line and waits for it:
//
//	name := check1(display.Input("name: "))
//
// The error says why there is no answer: the client takes no input (nbconvert and papermill take none), or the cell was
// interrupted. Without a publisher it prompts on standard error and reads a line of standard input.
func Input(prompt string) (string, error) {
	if p, ok := current.Load().publisher.(asker); ok {
		return p.Input(context.Background(), prompt, false)
	}
	fmt.Fprint(os.Stderr, prompt)
	return readLine(os.Stdin)
}

// readLine reads up to a line's end and not a byte further: what follows belongs to the next reader.
func readLine(r io.Reader) (string, error) {
	var line []byte
	for b := make([]byte, 1); ; {
		if _, err := io.ReadFull(r, b); err != nil {
			if len(line) > 0 && err == io.EOF {
				break
			}
			return "", fmt.Errorf("display: Input: %w", err)
		}
		if b[0] == '\n' {
			break
		}
		line = append(line, b[0])
	}
	return strings.TrimSuffix(string(line), "\r"), nil
}

// Password is [Input] whose answer is not shown, in the notebook's file neither. Without a publisher it is an error.
func Password(prompt string) (string, error) {
	if p, ok := current.Load().publisher.(asker); ok {
		return p.Input(context.Background(), prompt, true)
	}
	return "", errNoPassword
}
