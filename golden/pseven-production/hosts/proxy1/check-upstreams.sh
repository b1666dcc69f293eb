#!/bin/sh
# Asks the health port of every server behind the proxy proxy1, site norlund-odense.
# usage: check-upstreams.sh [PATH]   exit status: the number of servers that did not answer with success
set -u

default_path=/
path=${1:-$default_path}

failed=0
check() {
    if curl --silent --show-error --fail --max-time 5 --output /dev/null "http://$2$path"; then
        printf 'ok    %s %s\n' "$1" "$2"
    else
        printf 'FAIL  %s %s\n' "$1" "$2"
        failed=$((failed + 1))
    fi
}
check w01 10.84.8.21:30001
check w02 10.84.8.22:30001
check w03 10.84.8.23:30001
check w04 10.84.8.24:30001
check w05 10.84.8.25:30001
check w06 10.84.8.26:30001
exit "$failed"
