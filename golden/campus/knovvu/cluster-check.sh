#!/bin/sh
# Is the cluster of knovvu what the page of prerequisites asks for? Site sund-campus.
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

try 'storage class nfs-manual' kubectl get storageclass nfs-manual

try 'namespace knovvu-common' kubectl get namespace knovvu-common
try 'limits of knovvu-common' kubectl get limitrange knovvu-pods -n knovvu-common
try 'namespace knovvu-core' kubectl get namespace knovvu-core
try 'limits of knovvu-core' kubectl get limitrange knovvu-pods -n knovvu-core

# user, namespace, verb, resource
may() {
    if [ "$(kubectl auth can-i "$3" "$4" -n "$2" --as "$1" 2>/dev/null)" = yes ]; then ok "$1 may $3 $4 in $2"; else bad "$1 may not $3 $4 in $2"; fi
}
may_not() {
    if [ "$(kubectl auth can-i '*' '*' --all-namespaces --as "$1" 2>/dev/null)" = yes ]; then bad "$1 is administrator of the whole cluster"; else ok "$1 is no administrator of the whole cluster"; fi
}

# user, namespace: everything that the page asks for there
rights() {
    for verb in get list watch create update patch delete; do
        may "$1" "$2" "$verb" deployments.apps
        may "$1" "$2" "$verb" persistentvolumeclaims
    done
}
may_not sestek-support
rights sestek-support knovvu-common
rights sestek-support knovvu-core

# The registry: whether it speaks the Docker Registry v2 API, which answers 200, or 401 without an account.
status=$(curl -s -o /dev/null -m 10 -w '%{http_code}' https://registry.campus.example/v2/)
case $status in
    200 | 401) ok 'registry registry.campus.example speaks the v2 API' ;;
    *) bad 'registry registry.campus.example does not answer as the v2 API does, but with' "$status" ;;
esac

exit "$failed"
