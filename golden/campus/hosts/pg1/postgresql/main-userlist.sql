-- Prints the list of users for the pooler in front of server main, site sund-campus. Written by sitec; do not edit.
-- Run by a superuser of the server, after the passwords have been set; what it prints is as secret as a password:
--   (umask 077 && psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file> > userlist.txt)
\set ON_ERROR_STOP on
\pset format unaligned
\pset tuples_only on
SELECT format('"%s" "%s"', replace(rolname, '"', '""'), rolpassword) FROM pg_catalog.pg_authid WHERE rolname = 'pseven' AND rolpassword IS NOT NULL;
