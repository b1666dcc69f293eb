-- Rights on the database of Rucio, as the documented list of databases has them. Written by sitec; do not edit.
-- Run by an administrator of the server after the databases are created; repeatable:
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on
GRANT CONNECT, TEMPORARY ON DATABASE "rucio" TO PUBLIC;
GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "rucio" TO "admin";
GRANT CREATE, CONNECT, TEMPORARY ON DATABASE "rucio" TO "rucio";
