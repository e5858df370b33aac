#!/bin/sh
# A short live day: the lab is started, the primary of its database killed under load, prediction held against observation, the lab
# ended, whatever happens. $1: folder with the command gameday. Exit code 0 when it was played, whatever its verdict is; else that of what failed.
set -eu
gameday=$1/gameday
lab=.lab/make-gameday

end() {
    "$gameday" lab down --dir "$lab" > /dev/null || true
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! "$gameday" lab up --dir "$lab" > /dev/null; then
    echo "the lab does not start on this machine, so there is no live day; without one: make gameday LIVE=0" >&2
    exit 2
fi
code=0
"$gameday" live scenarios/live-primary-killed.yaml --target "$lab/target.yaml" --replications 20 --set duration=75s || code=$?
case $code in 0 | 1 | 3) ;; *) exit "$code" ;; esac  # a day that missed or proved nothing has said so
