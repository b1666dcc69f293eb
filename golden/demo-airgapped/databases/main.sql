-- Roles and databases on server main, site acme-oslo. Written by sitec; do not edit.
-- Run by an administrator of the server; repeatable, and no password is in it:
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on

-- Demo handbook: 2 Database
SELECT format('CREATE ROLE %I', 'guestbook') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'guestbook') \gexec
ALTER ROLE "guestbook" LOGIN;

-- Demo handbook: 2 Database
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L TEMPLATE template0', 'guestbook', 'guestbook', 'UTF8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'guestbook') \gexec
ALTER DATABASE "guestbook" OWNER TO "guestbook";
\connect "guestbook"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "guestbook";
