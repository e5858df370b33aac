#!/bin/sh
# Installs the programs from Debian that tests use as oracles: Prometheus, Alertmanager (with promtool and amtool) and Chromium.
# Only for root on Debian; elsewhere it says what is missing, and the tests that need it skip with that reason.
set -eu
missing=""
for pair in promtool:prometheus amtool:prometheus-alertmanager chromium:chromium; do
    command -v "${pair%%:*}" > /dev/null || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "not installed, so the tests that need them will skip:$missing (on Debian: apt install$missing)" >&2
    exit 0
fi
echo "installing$missing from Debian for the tests"
apt-get update -qq
# RUNLEVEL keeps the packages from starting their services.
# shellcheck disable=SC2086
RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
