#!/bin/sh
# Overlay networks of swarm edge, in the order in which they are needed; run on a manager. Written by sitec; do not edit.
# What is there already stays as it is.
set -eu

fail() {
    printf 'networks.sh: %s\n' "$1" >&2
    exit 1
}

# The name of a network, the form that it must have, and the command that makes it.
network() {
    name=$1 want=$2
    shift 2
    if is=$(docker network inspect --format '{{.Driver}} {{.Scope}} attachable={{.Attachable}}' "$name" 2>/dev/null); then
        [ "$is" = "$want" ] || fail "there is a network $name of another form: $is, not $want"
        printf '%s is there\n' "$name"
        return 0
    fi
    "$@" >/dev/null
    printf '%s is made\n' "$name"
}

networks() {
    network traefik-public 'overlay swarm attachable=false' docker network create --driver=overlay traefik-public
    network nuvla-backend 'overlay swarm attachable=false' docker network create --driver=overlay nuvla-backend
}

networks
