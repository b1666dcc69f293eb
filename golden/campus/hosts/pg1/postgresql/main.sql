-- Roles and databases on server main, site sund-campus. Written by sitec; do not edit.
-- Run by an administrator of the server; repeatable, and no password is in it:
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on

-- Knovvu deployment prerequisites: Information expected from customer
SELECT format('CREATE ROLE %I', 'knovvu') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'knovvu') \gexec
ALTER ROLE "knovvu" LOGIN;

-- pSeven Enterprise deployment guide: PostgreSQL server
SELECT format('CREATE ROLE %I', 'pseven') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pseven') \gexec
ALTER ROLE "pseven" LOGIN;

-- Knovvu deployment prerequisites: Information expected from customer
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L TEMPLATE template0', 'knovvu', 'knovvu', 'UTF8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'knovvu') \gexec
ALTER DATABASE "knovvu" OWNER TO "knovvu";
\connect "knovvu"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "knovvu";

-- pSeven Enterprise deployment guide: PostgreSQL server
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L TEMPLATE template0', 'pseven', 'pseven', 'UTF8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'pseven') \gexec
ALTER DATABASE "pseven" OWNER TO "pseven";
\connect "pseven"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "pseven";
