-- Passwords of the roles on server main, site sund-campus. Written by sitec; do not edit.
-- psql asks for each password twice and sends the server a hash that it makes itself: the password is in no file, no log and
-- no list of processes.
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on
SET password_encryption = 'scram-sha-256';

-- secret knovvu-db
\password "knovvu"

-- secret pseven-db
\password "pseven"
