-- Owners of the databases of knovvu on main, a Microsoft SQL Server. Written by sitec; do not edit.
-- The logins are there already, each with the password that its keeper has chosen. It can be repeated.
SET QUOTED_IDENTIFIER ON;
USE "SestekRaven";
IF USER_ID('knovvu') IS NULL CREATE USER "knovvu" FOR LOGIN "knovvu";
ALTER ROLE db_owner ADD MEMBER "knovvu";
USE "VAReporting";
IF USER_ID('knovvu_reporting') IS NULL CREATE USER "knovvu_reporting" FOR LOGIN "knovvu_reporting";
ALTER ROLE db_owner ADD MEMBER "knovvu_reporting";
