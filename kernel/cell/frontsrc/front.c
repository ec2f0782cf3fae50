// Linker front for cells: stands in for the C compiler when Go's linker links a plugin. Go's linker runs the compiler
// three times to learn which flags it knows and once to run the system linker; for pure Go cells that driver is most of
// the link time. This front answers the questions at once and runs the system linker itself.
//
// LINKER and LIBRARY_DIRS (a list of "-L…", strings) are defined when it is built: linkfront.go.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *library_dirs[] = {LIBRARY_DIRS};

int main(int argc, char **argv) {
	size_t n = strlen(argv[argc - 1]);
	if (n > 9 && !strcmp(argv[argc - 1] + n - 9, "trivial.c")) { // a question: is this flag known?
		for (int i = 1; i < argc; i++)
			if (strstr(argv[i], "build-id")) return 0;
		return 1;
	}
	size_t commas = 0;
	for (int i = 1; i < argc; i++)
		for (char *c = argv[i]; *c; c++) commas += *c == ',';
	size_t dirs = sizeof library_dirs / sizeof *library_dirs;
	char **args = calloc(argc + commas + dirs + 4, sizeof *args);
	if (!args) return 127;
	int k = 0;
	args[k++] = LINKER;
	for (int i = 1; i < argc; i++) {
		char *a = argv[i];
		// meant for the compiler
		if (!strcmp(a, "-m64") || !strncmp(a, "-fuse", 5) || !strcmp(a, "-O2") || !strcmp(a, "-g") || !strcmp(a, "-rdynamic") ||
		    !strcmp(a, "-pthread"))
			continue;
		if (!strncmp(a, "-Wl,", 4)) {
			for (char *part = strtok(a + 4, ","); part; part = strtok(0, ",")) args[k++] = part;
			continue;
		}
		args[k++] = a;
	}
	for (size_t i = 0; i < dirs; i++) args[k++] = (char *)library_dirs[i];
	args[k++] = "-lc";
	args[k++] = "-lgcc_s";
	execv(LINKER, args);
	perror(LINKER);
	return 127;
}
