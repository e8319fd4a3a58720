#!/bin/sh
# Installs the Debian packages named as arguments that are missing, where this is root on a Debian-family machine.
# Elsewhere it says what is missing and goes on: whatever needs them says so itself.
set -eu
missing=""
for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing$missing"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # A service that a package brings must not start here: tests start their own.
    # shellcheck disable=SC2086
    if ! { apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        echo "The packages could not be installed. Install them by hand: apt-get install$missing" >&2
        exit 1
    fi
    rm -f "$log"
else
    echo "Missing packages:$missing. As root: apt-get install$missing" >&2
fi
