#!/bin/sh
# Makes the self-signed certificate of Traefik on the swarm edge, site sund-campus.
# Written by sitec; do not edit. It is temporary: good for fourteen days, for tests and demonstrations. A certificate that
# is good for another day is kept.
set -eu
umask 077
cd "$(dirname "$0")"
mkdir -p secrets
crt=secrets/nuvla.crt
key=secrets/nuvla.key

if [ -s "$key" ] && openssl x509 -in "$crt" -noout -checkend 86400 >/dev/null 2>&1; then
    echo "$crt is still good"
    exit 0
fi
name=nuvla.campus.example
address=10.40.129.11
case $name in
    "$address") names="IP:$address" ;;
    *) names="DNS:$name,IP:$address" ;;
esac
openssl req -x509 -newkey rsa:2048 -nodes -days 14 -subj "/O=Nuvla/CN=$name" \
    -addext "subjectAltName=$names" -keyout "$key.new" -out "$crt.new"
mv "$key.new" "$key"
mv "$crt.new" "$crt"
openssl x509 -in "$crt" -noout -subject -enddate
