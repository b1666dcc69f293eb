#!/bin/sh
# Is the cluster of knovvu what the page of prerequisites asks for? Site corvid-cloud.
# Run it where kubectl reaches the cluster as an administrator. It changes nothing. Exit status: 0 fine, 1 something failed.
set -u
LC_ALL=C
export LC_ALL
failed=0
ok() { printf 'ok    %s\n' "$1"; }
bad() { printf 'FAIL  %s\n' "$*"; failed=1; }
try() { # what, command...
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then ok "$what"; else bad "$what"; fi
}

# Kubernetes 1.22 to 1.34, compared as numbers.
version=$(kubectl version -o json 2>/dev/null | tr -d ' \n\t' | sed -n 's/.*"serverVersion":{[^}]*"gitVersion":"v\([0-9]*\.[0-9]*\)[^"]*".*/\1/p')
minor=${version#*.}
case $version in
    1.*) if [ "$minor" -ge 22 ] && [ "$minor" -le 34 ]; then ok "Kubernetes $version"; else bad "Kubernetes $version; supported are 1.22 to 1.34"; fi ;;
    *) bad "the version of the cluster cannot be read: '$version'" ;;
esac

try 'storage class gp3' kubectl get storageclass gp3



# The registry: whether it speaks the Docker Registry v2 API, which answers 200, or 401 without an account.
status=$(curl -s -o /dev/null -m 10 -w '%{http_code}' https://123456789012.dkr.ecr.eu-north-1.amazonaws.com/v2/)
case $status in
    200 | 401) ok 'registry 123456789012.dkr.ecr.eu-north-1.amazonaws.com speaks the v2 API' ;;
    *) bad 'registry 123456789012.dkr.ecr.eu-north-1.amazonaws.com does not answer as the v2 API does, but with' "$status" ;;
esac

exit "$failed"
