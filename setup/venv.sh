#!/usr/bin/env bash
# Makes .venv: Jupyter and libtorch, as pinned in requirements.txt and requirements-torch.txt. A stamp that names the pins
# is written last; an environment without the right stamp, or that has lost a part since, is thrown away and made anew. One
# that could not be finished is removed, so a download that broke off leaves nothing to trip over and no full disk.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/pip.sh

python=$(setup/prerequisites.sh)
torch=lean
nvidia-smi -L >/dev/null 2>&1 && torch=cuda
version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
stamp=".venv/gomosaic-$torch-$version-$(fingerprint requirements.txt requirements-torch.txt setup/venv.sh)"

is_whole() {
	[ -e "$stamp" ] && .venv/bin/python - 2>/dev/null <<-'END'
		import sys
		from importlib.util import find_spec
		from pathlib import Path
		for name in ("jupyterlab", "nbclient", "nbconvert"):
		    Path(find_spec(name).origin).stat()
		Path(sys.prefix, "bin", "jupyter").stat()
		Path(find_spec("torch").origin).with_name("lib").joinpath("libtorch_cpu.so").stat()
	END
}
is_whole && exit 0

echo "Making .venv: Jupyter and libtorch ($torch), about a minute and 1.5 GB …"
rm -rf .venv
trap 'rm -rf .venv' EXIT
"$python" -m venv .venv
pip_install .venv -r requirements.txt
if [ "$torch" = cuda ]; then
	pip_install .venv -r requirements-torch.txt
else
	pip_install .venv --no-deps -r requirements-torch.txt
fi
touch "$stamp"
trap - EXIT
echo "Made .venv in $SECONDS s"
