package shell

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gomosaic/kernel/cell/rt"
)

// previous is the working directory before the last Cd, for `%cd -`. Cells run one at a time.
var previous string

// Cd changes the working directory and prints it: home without an argument, the one before for -.
func Cd(folder string) { rt.Check(cd(folder)) }

func cd(folder string) error {
	from, _ := os.Getwd() // it may be gone
	folder = strings.Trim(folder, `"'`)
	switch {
	case folder == "-" && previous == "":
		return errors.New("%cd -: the working directory was not changed before")
	case folder == "-":
		folder = previous
	default:
		var err error
		if folder, err = Home(folder); err != nil {
			return err
		}
	}
	if err := os.Chdir(folder); err != nil {
		return err
	}
	previous = from
	at, err := os.Getwd()
	if err != nil {
		return err
	}
	fmt.Println(at)
	return nil
}

// Home puts the user's home in place of an empty path and of ~ at a path's start.
func Home(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~")
	if path != "" && (!ok || rest != "" && rest[0] != '/') {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, rest), nil
}

// Env lists the environment, prints a variable (NAME) or sets one (NAME=value, or NAME value as IPython has it).
func Env(args string) { rt.Check(env(args)) }

func env(args string) error {
	if args == "" {
		all := os.Environ()
		slices.Sort(all)
		fmt.Println(strings.Join(all, "\n"))
		return nil
	}
	name, value, ok := Assignment(args)
	if !ok {
		value, ok := os.LookupEnv(args)
		if !ok {
			return fmt.Errorf("the environment has no variable %s", args)
		}
		fmt.Println(value)
		return nil
	}
	if err := os.Setenv(name, value); err != nil {
		return err
	}
	fmt.Printf("%s=%s\n", name, value)
	return nil
}

// Assignment takes NAME=value, or NAME value, apart; quotes around the value are taken off. ok is false for a name alone.
func Assignment(args string) (name, value string, ok bool) {
	at := strings.IndexAny(args, "= \t")
	if at < 0 {
		return args, "", false
	}
	name, value = args[:at], strings.TrimSpace(args[at+1:])
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return name, value, true
}

// WriteFile writes a cell to a file, or with -a before its name to the file's end.
func WriteFile(args, text string) { rt.Check(writeFile(args, text)) }

func writeFile(args, text string) (err error) {
	flags, verb := os.O_CREATE|os.O_WRONLY|os.O_TRUNC, "Writing"
	path, ok := strings.CutPrefix(args, "-a ")
	if ok {
		flags, verb = os.O_CREATE|os.O_WRONLY|os.O_APPEND, "Appending to"
	}
	if strings.HasPrefix(strings.TrimSpace(path), "-") {
		return fmt.Errorf("%%%%writefile has no option but -a, got %q; a file of that name is ./%s", args, args)
	}
	if path, err = Home(strings.Trim(strings.TrimSpace(path), `"'`)); err != nil {
		return err
	}
	if _, err := os.Stat(path); err == nil && !ok {
		verb = "Overwriting"
	}
	f, err := os.OpenFile(path, flags, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	fmt.Println(verb, path)
	_, err = f.WriteString(text)
	return err
}

// GO111Module accepts gophernotes' switch: modules are always on.
func GO111Module(setting string) {
	switch setting {
	case "on":
	case "off":
		fmt.Fprintln(os.Stderr, "modules are always on")
	default:
		rt.Check(fmt.Errorf("want %%go111module on or %%go111module off, got %q", setting))
	}
}
