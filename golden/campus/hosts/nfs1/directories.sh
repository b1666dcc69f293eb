#!/bin/sh
# Makes the directories of nfs1 with their owners and modes, site sund-campus. Run as root; repeatable.
set -eu
mkdir -p -- /srv/knovvu/elasticsearch
chown -- 1000:1000 /srv/knovvu/elasticsearch
chmod -- 0770 /srv/knovvu/elasticsearch
mkdir -p -- /srv/nuvla/data
chown -- nobody:nogroup /srv/nuvla/data
chmod -- 777 /srv/nuvla/data
mkdir -p -- /srv/pseven/SharedData
chown -- 11111 /srv/pseven/SharedData
chmod -- u+rwx /srv/pseven/SharedData
mkdir -p -- /srv/pseven/UserData
chown -- 11111 /srv/pseven/UserData
chmod -- u+rwx /srv/pseven/UserData
mkdir -p -- /srv/pseven/WorkspaceData
chown -- 11111 /srv/pseven/WorkspaceData
chmod -- u+rwx /srv/pseven/WorkspaceData
