package host

import (
	"archive/zip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/module"
)

// files writes files below dir; names are slash-separated.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// proxy is a module proxy in a folder, as GOPROXY=file:// reads it. Its modules are under gomosaic.test, and leave the
// module cache with the test; x/xerrors at a version that there is not stands for a newer one of a module that the host
// links.
type proxy struct {
	t   *testing.T
	dir string
}

func newProxy(t *testing.T) *proxy {
	p := &proxy{t, t.TempDir()}
	out, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	cache := strings.TrimSpace(string(out))
	t.Cleanup(func() {
		for _, dir := range []string{cache, filepath.Join(cache, "cache", "download")} {
			for _, name := range []string{"gomosaic.test", "golang.org/x/xerrors@v0.999.0", "golang.org/x/xerrors/@v/v0.999.0*"} {
				found, _ := filepath.Glob(filepath.Join(dir, name))
				for _, path := range found {
					_ = exec.Command("chmod", "-R", "u+w", path).Run()
					_ = os.RemoveAll(path)
				}
			}
		}
	})
	t.Cleanup(func() { // the go command's list of the versions that it holds
		list := filepath.Join(cache, "cache", "download", "golang.org", "x", "xerrors", "@v", "list")
		if text, err := os.ReadFile(list); err == nil {
			_ = os.WriteFile(list, []byte(strings.ReplaceAll(string(text), "v0.999.0\n", "")), 0o644)
		}
	})
	t.Setenv("GOPROXY", "file://"+p.dir)
	t.Setenv("GODEBUG", "goindex=0") // the go command remembers a version's files otherwise
	t.Setenv("GONOSUMDB", "gomosaic.test,golang.org/x/xerrors")
	return p
}

// add adds a module of one version; files are without the go.mod, whose lines behind the module's are mod.
func (p *proxy) add(path, version, mod string, files map[string]string) {
	p.t.Helper()
	escaped, err := module.EscapePath(path)
	if err != nil {
		p.t.Fatal(err)
	}
	goMod := "module " + path + "\n\ngo 1.24\n" + mod
	dir := filepath.Join(p.dir, escaped, "@v")
	writeFiles(p.t, dir, map[string]string{version + ".info": fmt.Sprintf(`{"Version":%q,"Time":"2024-01-01T00:00:00Z"}`, version), version + ".mod": goMod})
	list, _ := os.ReadFile(filepath.Join(dir, "list"))
	writeFiles(p.t, dir, map[string]string{"list": string(list) + version + "\n"})
	f, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	w := zip.NewWriter(f)
	add := func(name, text string) {
		part, err := w.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = part.Write([]byte(text))
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
	add("go.mod", goMod)
	for name, text := range files {
		add(name, text)
	}
	if err := w.Close(); err != nil {
		p.t.Fatal(err)
	}
}

func TestGet(t *testing.T) {
	p := newProxy(t)
	greet := func(v string) map[string]string {
		return map[string]string{"greet.go": "package greet\n\nimport \"gomosaic.test/words\"\n\nfunc Hello() string { return words.Hello + \" " + v + "\" }\n",
			"loud/loud.go": "package loud\n\nfunc Hello() string { return \"HELLO\" }\n"}
	}
	p.add("gomosaic.test/words", "v0.1.0", "", map[string]string{"words.go": "package words\n\nconst Hello = \"hello from\"\n"})
	p.add("gomosaic.test/greet", "v1.0.0", "require gomosaic.test/words v0.1.0\n", greet("v1.0.0"))
	p.add("gomosaic.test/greet", "v1.1.0", "require gomosaic.test/words v0.1.0\n", greet("v1.1.0"))

	n := openNotebook(t)
	n.fails("import \"gomosaic.test/greet\"\ngreet.Hello()", "cannot import gomosaic.test/greet", "hint: %get gomosaic.test/greet")
	n.want("kept := 1", "")
	n.want("%get gomosaic.test/greet@v1.0.0", "added gomosaic.test/greet v1.0.0\nadded gomosaic.test/words v0.1.0\n")
	n.want("%get gomosaic.test/greet@v1.0.0", "there already")
	n.want("import \"gomosaic.test/greet\"\ngreet.Hello()", "=> hello from v1.0.0")
	n.want("import \"gomosaic.test/greet/loud\"\nloud.Hello()", "=> HELLO")
	n.want("kept", "=> 1")
	n.fails("%get gomosaic.test/greet", "needs gomosaic.test/greet v1.1.0, and this kernel is running with v1.0.0", "%get --restart gomosaic.test/greet")
	n.want("greet.Hello()", "=> hello from v1.0.0") // a refusal leaves everything as it was
	n.fails("%get gomosaic.test/nowhere@v1.0.0", "gomosaic.test/nowhere")
	n.fails("%get", "an argument is missing")

	if err := n.Restart(t.Context()); err != nil { // the module outlives the host, and nothing of it is loaded now
		t.Fatal(err)
	}
	n.want("import \"gomosaic.test/greet\"\ngreet.Hello()", "=> hello from v1.0.0")
}

func TestGetRestart(t *testing.T) {
	p := newProxy(t)
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "golang.org/x/xerrors").Output()
	if err != nil {
		t.Fatal(err)
	}
	xerrors := map[string]string{"newer.go": "package xerrors\n\nconst Newer = 999\n"}
	for _, name := range []string{"xerrors.go", "wrap.go", "format.go", "frame.go", "fmt.go", "errors.go", "adaptor.go", "internal/internal.go"} {
		text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), name))
		if err != nil {
			continue // of another version
		}
		xerrors[name] = string(text)
	}
	p.add("golang.org/x/xerrors", "v0.999.0", "", xerrors)
	p.add("gomosaic.test/modern", "v1.0.0", "require golang.org/x/xerrors v0.999.0\n", map[string]string{"m.go": "package modern\n\nimport \"golang.org/x/xerrors\"\n\nvar Text = xerrors.Newer\n"})
	n := openNotebook(t)
	n.want("x := 1", "")
	n.fails("%get gomosaic.test/modern", "gomosaic.test/modern needs golang.org/x/xerrors v0.999.0, and this kernel is running with v0.0.0-", "%get --restart gomosaic.test/modern")
	n.want("x", "=> 1")
	n.want("%get --restart gomosaic.test/modern", "added golang.org/x/xerrors v0.999.0")
	n.fails("x", "undefined: x")
	n.want("import \"gomosaic.test/modern\"\nmodern.Text", "=> 999")
	n.want("import \"github.com/apache/arrow/go/v17/arrow/array\"\narray.NewInt64Builder != nil", "=> true")
	n.want("%get --restart gomosaic.test/modern", "there already")
}

func TestOffline(t *testing.T) {
	p := newProxy(t)
	p.add("gomosaic.test/words", "v0.1.0", "", map[string]string{"words.go": "package words\n"})
	t.Setenv("GOPROXY", "off")
	n := openNotebook(t)
	n.fails("%get github.com/nobody/nothing@v1.2.3", "offline: github.com/nobody/nothing@v1.2.3 is not in the module cache")
	n.fails("%get golang.org/x/sys", "offline: ", "the cache has golang.org/x/sys at v0.")
	n.want("%env GOPROXY=file://"+p.dir+"\n%get gomosaic.test/words", "added gomosaic.test/words") // the front's go command sees it too
}

func TestUseFolder(t *testing.T) {
	newProxy(t)
	n := openNotebook(t)
	dir := filepath.Join(t.TempDir(), "a folder", "tools")
	writeFiles(t, dir, map[string]string{
		"tools.go":      "package tools\n\nimport (\n\t_ \"embed\"\n\t\"tools/inner\"\n)\n\ntype T struct{ N int }\n\nfunc (t T) Twice() int { return 2 * t.N * inner.One }\n\n//go:embed data/text.txt\nvar Text string\n",
		"inner/i.go":    "package inner\n\nconst One = 1\n\nvar Calls int\n\nfunc Call() int { Calls++; return Calls }\n",
		"data/text.txt": "first",
	})
	n.fails("%use "+filepath.Dir(dir)+"/missing", "no such file")
	n.want("%use '"+dir+"'", "import \"tools\" is "+dir)
	n.want("import (\"tools\"; \"tools/inner\"; \"fmt\")\nt := tools.T{3}\nfmt.Println(t.Twice(), inner.Call(), tools.Text)", "6 1 first")
	writeFiles(t, dir, map[string]string{"tools.go": "package tools\n\nimport \"tools/inner\"\n\ntype T struct{ N, M int }\n\nfunc (t T) Twice() int { return 20 * t.N * inner.One }\n\nfunc Count() int { return inner.Call() }\n"})
	n.want("fmt.Println(tools.T{3, 4}.Twice(), tools.Count(), inner.Call(), t.Twice())", "60 2 3 6") // inner has not changed: its state is one
	writeFiles(t, dir, map[string]string{"inner/i.go": "package inner\n\nconst One = 5\n\nfunc Call() int { return -1 }\n"})
	n.want("fmt.Println(tools.T{3, 4}.Twice(), tools.Count(), inner.Call())", "300 -1 -1")
	writeFiles(t, dir, map[string]string{"inner/i.go": "package inner\n\nconst One = \n"})
	n.fails("1 + 1", filepath.Join(dir, "inner/i.go")+":4:1: ", "did not run")
	writeFiles(t, dir, map[string]string{"inner/i.go": "package inner\n\nconst One = 7\n\nfunc Call() int { return -2 }\n", "late/l.go": "package late\n\nimport \"tools/inner\"\n\nfunc Seven() int { return inner.One }\n"})
	n.want("import \"tools/late\"\nfmt.Println(late.Seven(), inner.Call())", "7 -2")
	if err := n.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	n.want("import (\"tools\"; \"tools/inner\"; \"fmt\")\nfmt.Println(tools.T{1, 2}.Twice(), inner.Call())", "140 -2")
}

// TestUseModule: a module of the user's with a requirement, a neighbour by a replace line, and our packages; a shipped
// function takes them along.
func TestUseModule(t *testing.T) {
	p := newProxy(t)
	p.add("gomosaic.test/words", "v0.1.0", "", map[string]string{"words.go": "package words\n\nconst Hello = \"hello\"\n"})
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"mine/go.mod": "module gomosaic.test/mine/v2\n\ngo 1.24\n\nrequire (\n\tgomosaic v0.0.0\n\tgomosaic.test/near v0.0.0\n\tgomosaic.test/words v0.1.0\n)\n\nreplace (\n\tgomosaic => ../nowhere\n\tgomosaic.test/near => ../near\n)\n",
		"mine/m.go":   "package mine\n\nimport (\n\t\"gomosaic.test/near\"\n\t\"gomosaic.test/words\"\n\t\"gomosaic/display\"\n)\n\ntype Page display.Data\n\nfunc Say() string { return words.Hello + near.Name }\n\nfunc Show(s string) display.Data { return display.Markdown(s) }\n",
		"near/go.mod": "module gomosaic.test/near\n\ngo 1.24\n", "near/n.go": "package near\n\nconst Name = \" near\"\n",
	})
	n := openNotebook(t)
	n.want("%use "+dir+"/mine", "import \"gomosaic.test/mine/v2\" is "+dir+"/mine\nadded gomosaic.test/words v0.1.0\n")
	n.want("import \"gomosaic.test/mine/v2\"\nmine.Say()", "=> hello near")
	n.want("var d display.Data = mine.Show(\"*x*\")\nd.Data[\"text/markdown\"]", "=> *x*")
	writeFiles(t, dir, map[string]string{"near/n.go": "package near\n\nconst Name = \" nearer\"\n"})
	n.want("mine.Say()", "=> hello nearer")
	n.want(shipCell, "")
	n.want("func work(c context.Context, k int) (string, error) { return mine.Say(), nil }\ntext, err := run(work)\ncheck(err)\ntext", "=> hello nearer")
}

// TestUseVendored: what a module has vendored needs neither a network nor the module cache, whatever GOFLAGS say; tags do count.
func TestUseVendored(t *testing.T) {
	newProxy(t)
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "-mod=vendor -tags=special")
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"go.mod":     "module gomosaic.test/mine\n\ngo 1.24\n\nrequire gomosaic.test/secret v1.2.3\n\nrequire gomosaic.test/deep v0.1.0 // indirect\n",
		"m.go":       "package mine\n\nimport \"gomosaic.test/secret/inside\"\n\nfunc Say() string { return inside.Word + kind }\n",
		"special.go": "//go:build special\n\npackage mine\n\nconst kind = \" special\"\n", "plain.go": "//go:build !special\n\npackage mine\n\nconst kind = \" plain\"\n",
		"vendor/modules.txt":                      "# gomosaic.test/deep v0.1.0\n## explicit; go 1.24\ngomosaic.test/deep\n# gomosaic.test/secret v1.2.3\n## explicit; go 1.24\ngomosaic.test/secret/inside\n",
		"vendor/gomosaic.test/deep/d.go":          "package deep\n\nconst Word = \"deep\"\n",
		"vendor/gomosaic.test/secret/inside/i.go": "package inside\n\nimport \"gomosaic.test/deep\"\n\nconst Word = \"secret \" + deep.Word\n",
	})
	n := openNotebook(t)
	n.want("%use "+dir, "added gomosaic.test/deep v0.1.0\nadded gomosaic.test/secret v1.2.3\n")
	n.want("import \"gomosaic.test/mine\"\nmine.Say()", "=> secret deep special")
	n.want("import \"gomosaic.test/secret/inside\"\ninside.Word", "=> secret deep")
}

// TestPrivate: GOPRIVATE keeps the proxy and the checksum database out, and the module comes from its repository.
func TestPrivate(t *testing.T) {
	newProxy(t)
	t.Setenv("GOPROXY", "off")
	repository := t.TempDir()
	writeFiles(t, repository, map[string]string{"go.mod": "module gomosaic.test/team/secret.git\n\ngo 1.24\n", "s.go": "package secret\n\nconst Word = \"psst\"\n"})
	for _, args := range [][]string{{"init", "-q"}, {"add", "."}, {"-c", "user.name=t", "-c", "user.email=t@gomosaic.test", "commit", "-q", "-m", "s"}, {"tag", "v0.3.0"}} {
		cmd := exec.Command("git", args...)
		cmd.Dir = repository
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for name, value := range map[string]string{"GOPRIVATE": "gomosaic.test/team", "GONOSUMDB": "", "GIT_ALLOW_PROTOCOL": "file:https", "GIT_CONFIG_COUNT": "1",
		"GIT_CONFIG_KEY_0": "url.file://" + repository + ".insteadOf", "GIT_CONFIG_VALUE_0": "https://gomosaic.test/team/secret"} {
		t.Setenv(name, value)
	}
	n := openNotebook(t)
	n.want("%get gomosaic.test/team/secret.git@v0.3.0", "added gomosaic.test/team/secret.git v0.3.0")
	n.want("import \"gomosaic.test/team/secret.git\"\nsecret.Word", "=> psst")
}
