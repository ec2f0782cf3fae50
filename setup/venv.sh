#!/usr/bin/env bash
# Makes .venv: Jupyter and libtorch, as pinned in requirements.txt and requirements-torch.txt. A stamp that names the pins
# is written last; an environment without the right stamp is thrown away and made anew, so a download that broke off
# leaves nothing to trip over.
set -euo pipefail
cd "$(dirname "$0")/.."
. setup/pip.sh

python=$(setup/prerequisites.sh)
torch=lean
nvidia-smi -L >/dev/null 2>&1 && torch=cuda
version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])')
stamp=".venv/gomosaic-$torch-$version-$(fingerprint requirements.txt requirements-torch.txt setup/venv.sh)"
[ -e "$stamp" ] && .venv/bin/python -c '' 2>/dev/null && exit 0

echo "Making .venv: Jupyter and libtorch ($torch), about a minute and 1.5 GB …"
rm -rf .venv
"$python" -m venv .venv
pip_install .venv -r requirements.txt
if [ "$torch" = cuda ]; then
	pip_install .venv -r requirements-torch.txt
else
	pip_install .venv --no-deps -r requirements-torch.txt
fi
touch "$stamp"
