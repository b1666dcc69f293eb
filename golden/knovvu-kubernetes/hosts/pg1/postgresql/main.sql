-- Roles and databases on server main, site vantage-izmir. Written by sitec; do not edit.
-- Run by an administrator of the server; repeatable, and no password is in it:
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on

-- Knovvu deployment prerequisites: Information expected from customer
SELECT format('CREATE ROLE %I', 'knovvu') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'knovvu') \gexec
ALTER ROLE "knovvu" LOGIN;

-- Knovvu deployment prerequisites: Information expected from customer
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L TEMPLATE template0', 'knovvu', 'knovvu', 'UTF8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'knovvu') \gexec
ALTER DATABASE "knovvu" OWNER TO "knovvu";
\connect "knovvu"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "knovvu";
