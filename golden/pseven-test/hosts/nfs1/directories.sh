#!/bin/sh
# Makes the directories of nfs1 with their owners and modes, site fenwick-lab. Run as root; repeatable.
set -eu
mkdir -p -- /srv/pseven/apps
chown -- 11111 /srv/pseven/apps
chmod -- u+rwx /srv/pseven/apps
mkdir -p -- /srv/pseven/home
chown -- 11111 /srv/pseven/home
chmod -- u+rwx /srv/pseven/home
mkdir -p -- /srv/pseven/shared
chown -- 11111 /srv/pseven/shared
chmod -- u+rwx /srv/pseven/shared
