#!/bin/sh
# Makes the directories of nfs1 with their owners and modes, site acme-oslo. Run as root; repeatable.
set -eu
mkdir -p -- /srv/pictures
chown -- 1001 /srv/pictures
chmod -- 0750 /srv/pictures
