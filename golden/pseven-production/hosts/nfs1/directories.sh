#!/bin/sh
# Makes the directories of nfs1 with their owners and modes, site norlund-odense. Run as root; repeatable.
set -eu
mkdir -p -- /var/pSeven/SharedData
chown -- 11111 /var/pSeven/SharedData
chmod -- u+rwx /var/pSeven/SharedData
mkdir -p -- /var/pSeven/SharedData/certs
chown -- 11111 /var/pSeven/SharedData/certs
chmod -- u+rwx /var/pSeven/SharedData/certs
mkdir -p -- /var/pSeven/UserData
chown -- 11111 /var/pSeven/UserData
chmod -- u+rwx /var/pSeven/UserData
mkdir -p -- /var/pSeven/WorkspaceData
chown -- 11111 /var/pSeven/WorkspaceData
chmod -- u+rwx /var/pSeven/WorkspaceData
