#!/bin/sh
# Makes the overlay networks of the swarm main, site brandur-torshavn, in the order in which they
# are needed. Written by sitec; do not edit. Run on the master; it can be repeated, and makes only what is missing.
set -eu

missing() { ! docker network inspect "$1" >/dev/null 2>&1; }

if missing edge-public; then
    docker network create --driver=overlay --opt encrypted --subnet 10.200.0.0/20 edge-public
fi
if missing edge-backend; then
    docker network create --driver=overlay --opt encrypted edge-backend
fi
docker network ls --filter driver=overlay
