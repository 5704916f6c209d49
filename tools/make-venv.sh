#!/bin/sh
# Make a virtual environment; on Debian this may need python3-venv first.
set -eu
python=$1 venv=$2

"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || {
    echo "error: s4tok needs Python 3.11, 3.12 or 3.13, and $python is $("$python" --version 2>&1)." >&2
    echo "hint: make PYTHON=python3.12 setup" >&2
    exit 6
}
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    if [ "$(id -u)" = 0 ]; then
        apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
    else
        echo "error: $python cannot make virtual environments." >&2
        echo "hint: sudo apt-get install python3-venv" >&2
        exit 6
    fi
fi
echo "making $venv with $("$python" --version) and installing s4tok in it; this downloads about 3 GB the first time"
"$python" -m venv "$venv"
