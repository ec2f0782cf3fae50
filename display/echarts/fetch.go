//go:build ignore

// Fetch takes the charting library that the package embeds out of its npm package and
// checks that it is the one meant. Run by go generate; needs npm.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
)

const (
	version = "6.1.0"
	sha512s = "q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6HIVpIyHZA=="
)

// files maps what is taken to where it goes; the library is kept compressed.
var files = map[string]string{
	"package/dist/echarts.min.js": "echarts.min.js.gz",
	"package/LICENSE":             "LICENSE",
	"package/NOTICE":              "NOTICE",
	"package/licenses/LICENSE-d3": "LICENSE-d3",
}

func main() {
	log.SetFlags(0)
	if err := run(); err != nil {
		log.Fatal("fetch: ", err)
	}
}

func run() error {
	dir, err := os.MkdirTemp("", "echarts")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	pack := exec.Command("npm", "pack", "--silent", "--pack-destination", dir, "echarts@"+version)
	pack.Stderr = os.Stderr
	if err := pack.Run(); err != nil {
		return fmt.Errorf("npm pack echarts@%s: %w", version, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "echarts-"+version+".tgz"))
	if err != nil {
		return err
	}
	sum := sha512.Sum512(raw)
	if got := base64.StdEncoding.EncodeToString(sum[:]); got != sha512s {
		return fmt.Errorf("echarts-%s.tgz: sha512 is %s, want %s", version, got, sha512s)
	}
	unzipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	taken := 0
	for archive := tar.NewReader(unzipped); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		name, wanted := files[header.Name]
		if !wanted {
			continue
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return err
		}
		if filepath.Ext(name) == ".gz" {
			var packed bytes.Buffer
			w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // no name, no time: the same bytes each time
			w.Write(content)
			w.Close()
			content = packed.Bytes()
		}
		if err := os.WriteFile(filepath.Join("assets", name), content, 0o644); err != nil {
			return err
		}
		taken++
	}
	if taken != len(files) {
		return fmt.Errorf("echarts-%s.tgz: found %d of %d files", version, taken, len(files))
	}
	return nil
}
