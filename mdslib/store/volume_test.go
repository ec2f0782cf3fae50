package store

import "testing"

// TestVolumes: a path below /Volumes is a folder where its catalog is mounted, and Databricks' elsewhere.
func TestVolumes(t *testing.T) {
	mounted := func(path string) bool { return path == "/Volumes/main" || path == "/Volumes" }
	for root, want := range map[string]bool{
		"/Volumes/main/default/images": false, "/Volumes/main": false,
		"/Volumes/other/default/images": true, "/Volumes/other": true,
		"/Volumes": false, "/Volumes/": false, "/volumes/other/x": false, "Volumes/other/x": false, "": false,
	} {
		if got := isUnmountedVolume(root, mounted); got != want {
			t.Errorf("isUnmountedVolume(%q) = %t", root, got)
		}
	}
	if isFolder("/Volumes/no-such-catalog") || !isFolder("/") {
		t.Error("isFolder is wrong")
	}
}
