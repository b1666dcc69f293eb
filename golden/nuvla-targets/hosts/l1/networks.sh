#!/bin/sh
# Makes the overlay networks of the swarm bench, site kestrel-lab, in the order in which they
# are needed. Written by sitec; do not edit. Run on the master; it can be repeated, and makes only what is missing.
set -eu

missing() { ! docker network inspect "$1" >/dev/null 2>&1; }

if missing traefik-public; then
    docker network create --driver=overlay traefik-public
fi
docker network ls --filter driver=overlay
