#!/bin/sh
# Makes the directories of store-home with their owners and modes, site tessmere-cloud. Run as root; repeatable.
set -eu
mkdir -p -- /srv/home/users
chown -- 11111 /srv/home/users
chmod -- u+rwx /srv/home/users
