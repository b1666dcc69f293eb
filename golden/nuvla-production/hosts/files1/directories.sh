#!/bin/sh
# Makes the directories of files1 with their owners and modes, site brandur-torshavn. Run as root; repeatable.
set -eu
mkdir -p -- /srv/voyages
chown -- nobody:nobody /srv/voyages
chmod -- 777 /srv/voyages
