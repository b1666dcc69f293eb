#!/bin/sh
# Makes the directories of nfs1 with their owners and modes, site vantage-izmir. Run as root; repeatable.
set -eu
mkdir -p -- /srv/knovvu/elastic
chown -- 1000 /srv/knovvu/elastic
chmod -- 0770 /srv/knovvu/elastic
mkdir -p -- /srv/knovvu/minio
chown -- 1001:1001 /srv/knovvu/minio
chmod -- 0770 /srv/knovvu/minio
