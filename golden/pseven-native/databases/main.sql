-- Roles and databases on server main, site tessmere-cloud. Written by sitec; do not edit.
-- Run by an administrator of the server; repeatable, and no password is in it:
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on

-- pSeven Enterprise deployment guide: PostgreSQL server
SELECT format('CREATE ROLE %I', 'pseven_sim') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pseven_sim') \gexec
ALTER ROLE "pseven_sim" LOGIN;

-- pSeven Enterprise deployment guide: PostgreSQL server
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L TEMPLATE template0', 'pseven_sim', 'pseven_sim', 'UTF8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'pseven_sim') \gexec
ALTER DATABASE "pseven_sim" OWNER TO "pseven_sim";
\connect "pseven_sim"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "pseven_sim";
