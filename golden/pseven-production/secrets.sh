#!/bin/sh
# shellcheck disable=SC2016 # what stands in single quotes is for another shell, or for people
# Takes the secrets of site norlund-odense from those who keep them to where they belong. Nothing secret stands in this
# file, on a command line, or in the tree: a secret is typed, or copied from a file, into a folder that only you can read.
set -eu
umask 077
here=${SECRETS:-./secrets}

usage() {
    cat <<'END'
usage: secrets.sh list                which secrets there are, who keeps each, where it goes
       secrets.sh ask [NAME...]       take those that are not there yet: typed twice, keys and certificates from a file
       secrets.sh file NAME PATH      write one into a file that only you can read
       secrets.sh apply CLUSTER       make the Secrets of a cluster with kubectl, as its current context reaches it;
                                      those of a swarm with docker, on a manager
       secrets.sh seal CLUSTER        write the sealed Secrets of a cluster with kubeseal, below the current folder
       secrets.sh place [HOST]        put key files on their hosts over SSH, with owner and mode
       secrets.sh forget              remove the folder with all of them

The folder is ./secrets, or what SECRETS in the environment names. Run `forget` when everything is in its place.
END
}

fail() {
    printf 'secrets.sh: %s\n' "$1" >&2
    exit 1
}

# Each secret with its kind, its keeper, and the places that need it.
secrets() {
    "$1" pg-admin password 'database team' 
    "$1" pseven-db password 'database team' 'PostgreSQL, account pseven' 'file database-password on admin1 while the chart is installed, postgres.password'
    "$1" registry-password password 'platform team' 'file registry-password on admin1 while the chart is installed, registry.password' 'registry registry.norlund.example, account pseven-pull'
    "$1" site-key private-key 'security office' '/etc/ssl/private/pseven.norlund.example.key on proxy1'
    "$1" smtp-password password 'mail team' 'mail server, account pseven@norlund.example'
    "$1" vendor-registry account purchasing 'registry.pseven.io, account norlund'
    :
}

# The Secrets of clusters.
objects() {
    :
}

# Those that are kept in a repository, sealed for the controller of their cluster: file, controller, its namespace, object.
sealed() {
    :
}

# Values with a secret in their middle: name, secret, how it is written there, what stands before and after it.
mixtures() {
    :
}

# Files on hosts: host, path, owner, mode, secret.
files() {
    on_host proxy1 /etc/ssl/private/pseven.norlund.example.key root:root 0600 site-key
    :
}

show() {
    printf '%s (%s), kept by %s\n' "$1" "${2:-of no kind}" "${3:-nobody that the plan names}"
    shift 3
    for place; do printf '    %s\n' "$place"; done
}

hidden() {
    if [ -t 0 ]; then
        trap 'stty echo; exit 130' INT TERM
        stty -echo
    fi
    printf '%s, kept by %s: ' "$1" "$2" >&2
    IFS= read -r value || :
    printf '\nonce more: ' >&2
    IFS= read -r again || :
    printf '\n' >&2
    if [ -t 0 ]; then
        stty echo
        trap - INT TERM
    fi
    [ "$value" = "$again" ] || fail "the two entries for $1 differ"
    [ -n "$value" ] || fail "$1 is empty"
    printf '%s' "$value"
}

ask_one() {
    case " $wanted " in "  " | *" $1 "*) ;; *) return 0 ;; esac
    found=yes
    if [ -s "$here/$1" ]; then
        printf '%s is there\n' "$1" >&2
        return 0
    fi
    case $2 in
        private-key | certificate | license)
            printf '%s, kept by %s; the file that has it: ' "$1" "$3" >&2
            IFS= read -r path || :
            [ -s "$path" ] || fail "there is nothing in '$path'"
            cat -- "$path" >"$here/$1.new"
            ;;
        *) hidden "$1" "$3" >"$here/$1.new" ;;
    esac
    mv "$here/$1.new" "$here/$1"
}

ask() {
    wanted=$* found=
    mkdir -p "$here"
    chmod 700 "$here"
    secrets ask_one
    [ -n "$found" ] || [ -z "$wanted" ] || fail "the plan has no secret $wanted"
}

needed() {
    mixing=$1
    case $1 in .*) mixtures ;; esac
    [ -s "$here/$1" ] || fail "$1 is not there yet; first: secrets.sh ask $1"
}

mixture() {
    [ "$1" = "$mixing" ] || return 0
    [ -s "$here/$2" ] || fail "$2 is not there yet; first: secrets.sh ask $2"
    {
        printf '%s' "$4"
        case $3 in
            url) od -An -v -tx1 "$here/$2" | tr -d ' \n' | sed 's/../%&/g' ;;
            *) cat "$here/$2" ;;
        esac
        printf '%s' "$5"
    } >"$here/$1"
}

# Server-side, so that no copy of the values is kept in an annotation; sealed, where that is wanted, so that nobody but
# the controller can read it. KUBESEAL_CERT names the certificate of the controller where it cannot be asked.
applied() {
    if [ -z "$file" ]; then
        kubectl "$@" --dry-run=client -o yaml | kubectl apply --server-side -f -
        return
    fi
    case $file in */*) mkdir -p "${file%/*}" ;; esac
    kubectl "$@" --dry-run=client -o yaml | kubeseal --format yaml --namespace "$namespace_of" \
        --controller-name "$controller" --controller-namespace "$at" ${KUBESEAL_CERT:+--cert "$KUBESEAL_CERT"} >"$file.new"
    [ -s "$file.new" ] || fail "kubeseal wrote nothing for '$file'"
    chmod 644 "$file.new"
    mv "$file.new" "$file"
    printf '%s\n' "$file"
}

seal() {
    file=$1 controller=$2 at=$3 namespace_of=$6
    shift 3
    "$@"
    file=
}

swarm() {
    [ "$1" = "$cluster" ] || return 0
    done=yes
    needed "${3#*=}"
    if docker secret inspect "$2" >/dev/null 2>&1; then
        printf '%s is there; a secret of a swarm never changes\n' "$2" >&2
        return 0
    fi
    docker secret create "$2" "$here/${3#*=}"
}

opaque() {
    [ "$1" = "$cluster" ] || return 0
    done=yes namespace=$2 name=$3
    shift 3
    count=$#
    for part; do
        needed "${part#*=}"
        set -- "$@" "--from-file=${part%%=*}=$here/${part#*=}"
    done
    shift "$count"
    applied create secret generic "$name" -n "$namespace" "$@"
}

tls() {
    [ "$1" = "$cluster" ] || return 0
    done=yes
    needed "${4#*=}"
    [ -s "$5" ] || fail "the certificate '$5' is not here"
    applied create secret tls "$3" -n "$2" --key "$here/${4#*=}" --cert "$5"
}

registry() {
    [ "$1" = "$cluster" ] || return 0
    done=yes
    needed "${4#*=}"
    auth=$({ printf '%s:' "$6" && cat "$here/${4#*=}"; } | base64 | tr -d '\n')
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$5" "$auth" >"$here/.dockerconfigjson"
    applied create secret generic "$3" -n "$2" --type=kubernetes.io/dockerconfigjson \
        "--from-file=.dockerconfigjson=$here/.dockerconfigjson"
    rm "$here/.dockerconfigjson"
}

quoted() { printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"; }

on_host() {
    [ -z "$host" ] || [ "$1" = "$host" ] || return 0
    done=yes
    needed "$5"
    new=$(quoted "$2.new")
    # The value goes through the connection, never onto a command line; what is said there is quoted for the other side.
    # shellcheck disable=SC2029
    ssh "root@$1" "umask 077 && cat > $new && chown $(quoted "$3") $new && chmod $(quoted "$4") $new && mv $new $(quoted "$2")" <"$here/$5"
    printf '%s: %s\n' "$1" "$2"
}

done='' file='' mixing='' namespace_of=''
case ${1:-} in
    list) secrets show ;;
    ask)
        shift
        ask "$@"
        ;;
    file)
        [ $# -eq 3 ] || { usage >&2; exit 2; }
        ask "$2"
        cat "$here/$2" >"$3"
        chmod 600 "$3"
        ;;
    apply)
        [ $# -eq 2 ] || { usage >&2; exit 2; }
        cluster=$2
        objects
        [ -n "$done" ] || fail "the plan has no Secrets in a cluster $cluster"
        ;;
    seal)
        [ $# -eq 2 ] || { usage >&2; exit 2; }
        cluster=$2
        sealed
        [ -n "$done" ] || fail "the plan has no sealed Secrets for a cluster $cluster"
        ;;
    place)
        host=${2:-}
        files
        [ -n "$done" ] || fail "the plan has no key files${host:+ on $host}"
        ;;
    forget)
        [ -d "$here" ] || exit 0
        find "$here" -type f -exec sh -c 'shred -u "$1" 2>/dev/null || rm -f "$1"' forget {} \;
        rmdir "$here"
        ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
