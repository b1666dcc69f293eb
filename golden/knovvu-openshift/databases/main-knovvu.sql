-- Databases of knovvu on main, a Microsoft SQL Server. Written by sitec; do not edit.
-- It can be repeated.
SET QUOTED_IDENTIFIER ON;
IF DB_ID('SestekRaven') IS NULL CREATE DATABASE "SestekRaven";
IF DB_ID('VAReporting') IS NULL CREATE DATABASE "VAReporting";
