package dist

import (
	"strings"
	"testing"
)

func TestWorldFromEnv(t *testing.T) {
	w := World{Rank: 3, Size: 4, LocalRank: 1, LocalSize: 2, NodeRank: 1, MasterAddr: "10.0.0.7", MasterPort: 29400}
	for _, kv := range w.Env() {
		name, value, _ := strings.Cut(kv, "=")
		t.Setenv(name, value)
	}
	got, err := WorldFromEnv()
	if err != nil || got != w {
		t.Errorf("WorldFromEnv() = %+v, %v; want %+v", got, err, w)
	}
	for name, value := range map[string]string{"RANK": "4", "WORLD_SIZE": "two", "LOCAL_RANK": "2"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			if _, err := WorldFromEnv(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: err = %v, want one that names it", name, value, err)
			}
		})
	}
}

func TestWorldOfOne(t *testing.T) {
	for _, name := range []string{"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "GROUP_RANK", "MASTER_ADDR", "MASTER_PORT"} {
		t.Setenv(name, "")
	}
	w, err := WorldFromEnv()
	if err != nil || w != (World{Size: 1, LocalSize: 1, MasterAddr: "127.0.0.1", MasterPort: 29500}) {
		t.Errorf("WorldFromEnv() = %+v, %v", w, err)
	}
}
