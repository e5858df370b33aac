#!/bin/sh
# Makes the virtual environment $1 and installs this checkout into it with the extras $2, at the versions of constraints.txt
# (or of the file that CONSTRAINTS names). An environment that does not work is made anew.
# A bare Debian has python3 without ensurepip: then virtualenv makes the environment, from a folder that is deleted afterwards.
set -eu
venv=$1
extras=$2
python=${PYTHON:-python3}
constraints=${CONSTRAINTS:-constraints.txt}

command -v "$python" > /dev/null || { echo "gameday needs Python 3.11 to 3.13; no '$python' was found" >&2; exit 2; }
"$python" - << 'CHECK' || exit 2
import sys
if not (3, 11) <= sys.version_info < (3, 14):
    sys.exit(f"gameday needs Python 3.11 to 3.13; this is {sys.version.split()[0]}. Name another: make PYTHON=python3.12 ...")
CHECK

if ! "$venv/bin/python" -m pip --version > /dev/null 2>&1; then
    rm -rf "$venv"
    if "$python" -c 'import ensurepip, venv' 2> /dev/null; then
        "$python" -m venv "$venv"
    elif "$python" -m pip --version > /dev/null 2>&1; then
        tools=$(mktemp -d)
        trap 'rm -rf "$tools"' EXIT
        "$python" -m pip install --quiet --disable-pip-version-check --target "$tools" virtualenv
        PYTHONPATH="$tools" "$python" -m virtualenv --quiet "$venv"
    elif [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq && apt-get install -y -qq python3-venv > /dev/null
        "$python" -m venv "$venv"
    else
        echo "this Python has neither venv nor pip: install python3-venv (Debian: apt install python3-venv) and try again" >&2
        exit 2
    fi
fi

echo "installing gameday$extras into $venv"
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --constraint "$constraints" --editable ".$extras"
