#!/bin/sh
# Asks the health port of every server behind the proxy proxy1, site sund-campus.
# usage: check-upstreams.sh [PATH]   exit status: the number of servers that did not answer with success
set -u

default_path=/health
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
check w1 10.40.128.21:30001
check w2 10.40.128.22:30001
check w3 10.40.128.23:30001
check w4 10.40.128.24:30001
check w5 10.40.128.25:30001
check w6 10.40.128.26:30001
exit "$failed"
