#!/bin/sh
# Makes the directories of tg1 with their owners and modes, site ostrava-edge. Run as root; repeatable.
set -eu
mkdir -p -- /nfs-root
chown -- nobody:nogroup /nfs-root
chmod -- 777 /nfs-root
