-- Roles and databases on server science, site polaris-vre. Written by sitec; do not edit.
-- Run by an administrator of the server; repeatable, and no password is in it:
--   psql -X -v ON_ERROR_STOP=1 -d postgres -f <this file>
\set ON_ERROR_STOP on

-- VRE wiki, Infrastructure Management: Database
SELECT format('CREATE ROLE %I', 'jhub') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'jhub') \gexec
ALTER ROLE "jhub" LOGIN;

-- VRE wiki, Infrastructure Management: Database
SELECT format('CREATE ROLE %I', 'reana') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'reana') \gexec
ALTER ROLE "reana" LOGIN;

-- VRE wiki, Infrastructure Management: Database
SELECT format('CREATE ROLE %I', 'rucio') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'rucio') \gexec
ALTER ROLE "rucio" LOGIN;

-- VRE wiki, Infrastructure Management: Database; Database, list of databases
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L TEMPLATE template0', 'jhub', 'jhub', 'UTF8', 'en_US.UTF-8', 'en_US.UTF-8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'jhub') \gexec
ALTER DATABASE "jhub" OWNER TO "jhub";
\connect "jhub"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "jhub";

-- VRE wiki, Infrastructure Management: Database; Database, list of databases
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L TEMPLATE template0', 'reana', 'reana', 'UTF8', 'en_US.UTF-8', 'en_US.UTF-8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'reana') \gexec
ALTER DATABASE "reana" OWNER TO "reana";
\connect "reana"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "reana";

-- VRE wiki, Infrastructure Management: Database; Database, list of databases
SELECT format('CREATE DATABASE %I OWNER %I ENCODING %L LC_COLLATE %L LC_CTYPE %L TEMPLATE template0', 'rucio', 'rucio', 'UTF8', 'en_US.UTF-8', 'en_US.UTF-8') WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_database WHERE datname = 'rucio') \gexec
ALTER DATABASE "rucio" OWNER TO "rucio";
\connect "rucio"
-- The owner may make and remove schemas and tables; before PostgreSQL 15 the schema `public` is not its own.
GRANT ALL ON SCHEMA public TO "rucio";
