#!/bin/sh
# Makes the directories of store-apps with their owners and modes, site tessmere-cloud. Run as root; repeatable.
set -eu
mkdir -p -- /srv/apps/workspaces
chown -- 11111 /srv/apps/workspaces
chmod -- u+rwx /srv/apps/workspaces
