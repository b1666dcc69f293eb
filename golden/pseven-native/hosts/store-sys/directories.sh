#!/bin/sh
# Makes the directories of store-sys with their owners and modes, site tessmere-cloud. Run as root; repeatable.
set -eu
mkdir -p -- /srv/pseven-shared
chown -- 11111 /srv/pseven-shared
chmod -- u+rwx /srv/pseven-shared
