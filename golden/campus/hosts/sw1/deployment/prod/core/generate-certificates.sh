#!/bin/sh
# Makes the pair of keys with which Nuvla signs its sessions, site sund-campus. Written by sitec; do not
# edit. session.crt is the public key, whatever its name says. A pair that is there is kept: a new one ends all sessions.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
crt=secrets/session.crt
key=secrets/session.key

if [ -s "$key" ] && [ -s "$crt" ]; then
    echo "$key is there already"
    exit 0
fi
openssl genrsa -out "$key.new" 2048
openssl rsa -in "$key.new" -pubout -out "$crt"
mv "$key.new" "$key"
