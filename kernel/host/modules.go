package host

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gomosaic/kernel/cell"
	"gomosaic/kernel/cell/magic"
	"gomosaic/kernel/cell/rt/shell"
)

// A session has a module of its own from its first %get or %use on, with what these require. It lives as long as the
// session: a host that died or was restarted by [Session.Restart] finds it again. A new kernel begins without, and the
// notebook's %get and %use lines bring it back, fast when the module cache has what they name.

// magicGet requires modules: %get [--restart] path[@version]…
func (s *Session) magicGet(ctx context.Context, m magicCall) error {
	wanted, restart, err := wantedModules(m.Use)
	if err != nil {
		return err
	}
	module, err := s.ownModule()
	if err != nil {
		return err
	}
	changed, err := module.Get(ctx, false, wanted...)
	var conflict *cell.ConflictError
	switch {
	case errors.As(err, &conflict) && restart:
		return s.restartWith(ctx, module, wanted, m)
	case conflict != nil:
		return fmt.Errorf("%w.\nIn a fresh process, without the notebook's variables:\n    %%get --restart %s", err, strings.Join(wanted, " "))
	case err != nil:
		return err
	}
	m.describe(changed, wanted)
	return nil
}

// describe says what is required now.
func (m magicCall) describe(changed []cell.Requirement, wanted []string) {
	for _, r := range changed {
		m.printf("added %s\n", r)
	}
	if len(changed) == 0 && len(wanted) > 0 {
		m.printf("%s: there already\n", strings.Join(wanted, ", "))
	}
}

// magicUse makes a folder's packages importable: %use folder [path]
func (s *Session) magicUse(ctx context.Context, m magicCall) error {
	dir, as, err := usedFolder(m.Use, s.workingDir())
	if err != nil {
		return err
	}
	module, err := s.ownModule()
	if err != nil {
		return err
	}
	path, changed, err := module.Use(ctx, dir, as)
	var conflict *cell.ConflictError
	if errors.As(err, &conflict) {
		return fmt.Errorf("%w.\nIn a fresh process, without the notebook's variables, and then this line again:\n    %%get --restart %s@%s",
			err, conflict.Conflicts[0].Path, conflict.Conflicts[0].Wanted)
	}
	if err != nil {
		return err
	}
	m.printf("import %q is %s\n", path, dir)
	m.describe(changed, nil)
	return nil
}

// workingDir is the host's, which cells may have changed.
func (s *Session) workingDir() string {
	s.mu.Lock()
	p := s.host
	s.mu.Unlock()
	if p != nil {
		return p.workingDir(s.options.Dir)
	}
	return s.options.Dir
}

// wantedModules are the arguments of %get.
func wantedModules(use magic.Use) (wanted []string, restart bool, err error) {
	for _, w := range strings.Fields(use.Args) {
		switch {
		case w == "--restart":
			restart = true
		case strings.HasPrefix(w, "-"):
			return nil, false, fmt.Errorf("there is no option %s; usage: %s", w, use.Usage)
		default:
			wanted = append(wanted, w)
		}
	}
	if len(wanted) == 0 {
		return nil, false, errors.New("usage: " + use.Usage)
	}
	return wanted, restart, nil
}

// usedFolder are the arguments of %use; relative folders are below dir.
func usedFolder(use magic.Use, dir string) (folder, as string, err error) {
	words, err := shellWords(use.Args)
	if err != nil {
		return "", "", err
	}
	if len(words) == 0 || len(words) > 2 {
		return "", "", errors.New("usage: " + use.Usage)
	}
	if folder, err = shell.Home(words[0]); err != nil {
		return "", "", fmt.Errorf("%s: %w", words[0], err)
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join(dir, folder)
	}
	return folder, strings.Join(words[1:], ""), nil
}

// shellWords splits at blanks, which quotes keep together.
func shellWords(text string) ([]string, error) {
	var words []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		if quote := text[:1]; quote == `"` || quote == "'" {
			word, rest, ok := strings.Cut(text[1:], quote)
			if !ok {
				return nil, errors.New("a quote is not closed")
			}
			words, text = append(words, word), rest
			continue
		}
		i := strings.IndexAny(text+" ", " \t")
		words, text = append(words, text[:i]), text[i:]
	}
	return words, nil
}

// ownModule is the session's own module.
func (s *Session) ownModule() (*cell.Module, error) {
	if s.extended {
		return s.module, nil
	}
	linked, err := cell.Linked(s.options.Binary)
	if err != nil {
		return nil, err
	}
	module, err := s.module.Extend(filepath.Join(s.folder.path, "module"), linked)
	if err != nil {
		return nil, err
	}
	s.archives.Extend(module)
	s.module, s.extended = module, true
	return module, nil
}

// forgetLoaded: a fresh host has nothing loaded but what it links.
func (s *Session) forgetLoaded() {
	if !s.extended {
		return
	}
	if linked, err := cell.Linked(s.options.Binary); err == nil {
		s.module.Unpin(linked)
	}
	s.archives.Forget()
}

// restartWith requires modules that change what the host links, builds a host with them, and starts it in the place of
// the present one. The build takes from seconds to a minute and is kept for later sessions.
func (s *Session) restartWith(ctx context.Context, module *cell.Module, wanted []string, m magicCall) error {
	next, err := module.Extend(filepath.Join(s.folder.path, "module-next"), nil)
	if err != nil {
		return err
	}
	changed, err := next.Get(ctx, true, wanted...)
	if err != nil {
		return err
	}
	m.describe(changed, wanted)
	archives, err := openArchives(ctx, s.options, next, func(line string) { m.out.Stream("stderr", line+"\n") })
	if err != nil {
		return err
	}
	binary, err := s.hostWith(ctx, next, archives, m.out)
	if err != nil {
		return err
	}
	builder, err := cell.NewBuilder(ctx, next.Tools(), archives, s.options.CacheDir, s.folder.path, s.options.slimFor(binary))
	if err != nil {
		return err
	}
	linked, err := cell.Linked(binary)
	if err != nil {
		return err
	}
	own, err := next.Extend(filepath.Join(s.folder.path, "restarted", filepath.Base(binary), "module"), linked)
	if err != nil {
		return err
	}
	archives.Extend(own)
	s.mu.Lock()
	old := s.host
	s.host = nil // what it still prints is nobody's
	s.options.Binary, s.module, s.archives, s.builder = binary, own, archives, builder
	s.model = s.newModel(s.model.Seq())
	s.mu.Unlock()
	if err := s.noteUses(); err != nil {
		return err
	}
	if old != nil {
		old.kill()
	}
	if err := s.startHost(ctx); err != nil {
		return err
	}
	m.printf("a fresh process with it is running; the notebook's variables are gone\n")
	return nil
}

// hostWith is the host's executable with a module's requirements, built unless an earlier session has built it.
func (s *Session) hostWith(ctx context.Context, module *cell.Module, archives *cell.Archives, out Output) (string, error) {
	root := filepath.Join(s.options.CacheDir, "hosts")
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	binary := filepath.Join(root, "host-"+archives.Key())
	lock, err := cell.LockFile(ctx, filepath.Join(root, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	out.Stream("stderr", "building the kernel's process anew\n")
	partial := binary + ".partial"
	defer os.Remove(partial)
	if err := module.BuildHost(ctx, s.options.MainPackage, partial, "-ldflags=-s -w"); err != nil {
		return "", err
	}
	return binary, os.Rename(partial, binary)
}

// updateLocal brings local packages up to date whose files changed since the last cell.
func (s *Session) updateLocal(ctx context.Context, out Output) error {
	changed, err := s.archives.Update(ctx)
	if err != nil {
		return &CellError{Name: "build error", Value: "a local package does not compile; the cell did not run",
			Traceback: append(strings.Split(err.Error(), "\n"), "The cell did not run: the package has changed and does not compile.")}
	}
	if len(changed) > 0 {
		out.Stream("stderr", strings.Join(changed, ", ")+": changed and compiled again\n")
	}
	return nil
}
