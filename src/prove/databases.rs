//! Emitted SQL, access lines and pooler files against the `Ir`'s database servers, both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::bugs::{At, Bugs, joined};
use super::ini::{self, Section};
use super::pg_hba::{self, Record, Source};
use super::sql::{self, Act, What};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Database, DatabaseServer, Ir, Pooler, Rights, Role, short_net};

/// The scripts of every server: roles and databases, passwords, the list of users for a pooler.
pub fn scripts(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<&str, (&Emitted, Vec<Act>)> = BTreeMap::new();
    for file in texts.of(Format::Sql).filter(|f| f.is_own()) {
        found.extend(file.read(sql::read, bugs).map(|acts| (file.path, (file, acts))));
    }
    for server in ir.database_servers.iter().filter(|s| &**s.engine == "postgresql") {
        let folder = match &*server.host {
            Some(host) => format!("hosts/{host}/postgresql/{}", server.server.value),
            None => format!("databases/{}", server.server.value),
        };
        let wanted = |role: &&std::sync::Arc<Role>| role.secret.is_some();
        if !server.roles.is_empty() || !server.databases.is_empty() {
            match found.remove(&*format!("{folder}.sql")) {
                Some((file, acts)) => script(file, &acts, server, bugs),
                None => bugs.missing("the tree", &format!("the script `{folder}.sql`")),
            }
        }
        let meant: Vec<&str> = server.roles.iter().filter(wanted).map(|r| &**r.name).collect();
        names(found.remove(&*format!("{folder}-passwords.sql")), &meant, "password of the role", (password, 2), bugs);
        let mut meant = Vec::new();
        for pooler in ir.poolers.iter().filter(|p| *p.server == *server.server) {
            if *pooler.copies_passwords && server.host.is_some() && &**pooler.kind == "pgbouncer" {
                meant.extend(pooler.users.iter().map(|u| &**u));
            }
        }
        names(found.remove(&*format!("{folder}-userlist.sql")), &meant, "user", (listed, 3), bugs);
    }
    for (file, _) in found.into_values() {
        bugs.extra(file.at(0), "a script");
    }
}

/// The role that a command speaks of; `Some(None)` for one that only prepares, `None` for one that does not belong.
type Reads = fn(&What) -> Option<Option<&str>>;

/// A file that says one thing of each of several roles, behind so many commands that prepare for it.
fn names(
    found: Option<(&Emitted, Vec<Act>)>,
    meant: &[&str],
    what: &str,
    (read, prepares): (Reads, usize),
    bugs: &mut Bugs,
) {
    let Some((file, acts)) = found else {
        if let Some(name) = meant.first() {
            bugs.missing("the tree", &format!("a script with the {what} `{name}`"));
        }
        return;
    };
    let mut left: Vec<&str> = meant.to_vec();
    if acts.iter().filter(|act| read(&act.what) == Some(None)).count() != prepares {
        bugs.missing(file.path, "what prepares for it");
    }
    for act in &acts {
        match read(&act.what) {
            Some(Some(name)) => match left.iter().position(|n| *n == name) {
                Some(i) => drop(left.remove(i)),
                None => bugs.extra(file.at(act.line), &format!("the {what} `{name}`")),
            },
            Some(None) => {}
            None => bugs.extra(file.at(act.line), "a statement"),
        }
    }
    for name in left {
        bugs.missing(file.path, &format!("the {what} `{name}`"));
    }
}

/// `\password "a"`; inside `Some(None)` what only prepares it.
fn password(what: &What) -> Option<Option<&str>> {
    match what {
        What::Command(name, words) if name == "password" && words.len() == 1 => Some(Some(&words[0])),
        What::Statement(s) if s.parts() == ("SET PASSWORD_ENCRYPTION = '", vec!["scram-sha-256"]) => Some(None),
        other => stops(other).then_some(None),
    }
}

fn listed(what: &What) -> Option<Option<&str>> {
    const SHAPE: &str = "SELECT FORMAT ( ' , REPLACE ( ROLNAME , ' , ' ) , ROLPASSWORD ) FROM PG_CATALOG . PG_AUTHID \
                         WHERE ROLNAME = ' AND ROLPASSWORD IS NOT NULL";
    match what {
        What::Statement(s) if s.shape == SHAPE && s.values[..3] == ["\"%s\" \"%s\"", "\"", "\"\""] => {
            Some(Some(&s.values[3]))
        }
        What::Command(name, words)
            if name == "pset" && (words == &["format", "unaligned"] || words == &["tuples_only", "on"]) =>
        {
            Some(None)
        }
        other => stops(other).then_some(None),
    }
}

fn stops(what: &What) -> bool {
    matches!(what, What::Command(name, words) if name == "set" && *words == ["ON_ERROR_STOP", "on"])
}

/// What a script was found to do, one line for each thing, with the line of the file.
type Done = BTreeMap<String, usize>;

fn script(file: &Emitted, acts: &[Act], server: &DatabaseServer, bugs: &mut Bugs) {
    let mut done = Done::new();
    let mut database: Option<&str> = None;
    for act in acts {
        let line = match &act.what {
            other if stops(other) => "stop at errors".to_owned(),
            What::Command(name, words) if name == "connect" && words.len() == 1 => {
                if database == Some(&*words[0]) {
                    bugs.extra(file.at(act.line), &format!("a second way into `{}`", words[0]));
                }
                database = Some(&words[0]);
                continue;
            }
            What::Command(name, _) => format!("the command `\\{name}`"),
            What::Statement(s) => told(database, &s.shape, &s.values),
            What::Unless { is_there, made } => {
                let guard = format!("{} {}", is_there.shape, is_there.values.join(" "));
                told(database, &format!("{} unless {guard}", made.shape), &made.values)
            }
        };
        // A role with rights in several schemas gets its way into the database with each of them.
        let repeats = line.contains("GRANT CONNECT");
        if done.insert(line.clone(), act.line).is_some() && !repeats {
            bugs.extra(file.at(act.line), &format!("a second time {line}"));
        }
    }
    let meant = meant(server);
    for line in &meant {
        if done.remove(line).is_none() {
            bugs.missing(file.path, line);
        }
    }
    for (line, at) in done {
        bugs.extra(file.at(at), &line);
    }
}

/// A statement in one line; those that speak of what is in a database begin with its name.
fn told(database: Option<&str>, shape: &str, values: &[String]) -> String {
    let inside = database.map(|d| format!("in `{d}`: ")).unwrap_or_default();
    format!("{inside}{shape} ({})", values.join(", "))
}

/// Everything that the script of a server does.
fn meant(server: &DatabaseServer) -> BTreeSet<String> {
    let mut list = BTreeSet::from(["stop at errors".to_owned()]);
    // A script stays in the database that it connected to last; only roles and the making of databases come before.
    let mut database: Option<&str> = None;
    for role in server.roles.iter() {
        let name = &**role.name;
        let mut say = |shape: &str, values: &[&str]| list.extend([told(None, shape, &owned(values))]);
        say_unless(&mut say, "CREATE ROLE ?", &[name], "PG_ROLES", "ROLNAME", name);
        say(if *role.login { "ALTER ROLE ? LOGIN" } else { "ALTER ROLE ? NOLOGIN" }, &[name]);
        if let Some(limit) = *role.connection_limit {
            say("ALTER ROLE ? CONNECTION LIMIT #", &[name, &limit.to_string()]);
        }
        for group in role.member_of.iter() {
            say("GRANT ? TO ?", &[group, name]);
        }
    }
    for wanted in server.databases.iter() {
        let (name, owner) = (&**wanted.name, &**wanted.owner);
        let mut say = |shape: &str, values: &[&str]| list.extend([told(database, shape, &owned(values))]);
        match &*wanted.locale {
            Some(locale) => say_unless(
                &mut say,
                "CREATE DATABASE ? OWNER ? ENCODING ' LC_COLLATE ' LC_CTYPE ' TEMPLATE TEMPLATE0",
                &[name, owner, &wanted.encoding, locale, locale],
                "PG_DATABASE",
                "DATNAME",
                name,
            ),
            None => say_unless(
                &mut say,
                "CREATE DATABASE ? OWNER ? ENCODING ' TEMPLATE TEMPLATE0",
                &[name, owner, &wanted.encoding],
                "PG_DATABASE",
                "DATNAME",
                name,
            ),
        }
        say("ALTER DATABASE ? OWNER TO ?", &[name, owner]);
        database = Some(name);
        inside(wanted, &mut |shape, values| list.extend([told(Some(name), shape, &owned(values))]));
    }
    list
}

/// What is done inside of a database.
fn inside(database: &Database, say: &mut dyn FnMut(&str, &[&str])) {
    let (name, owner) = (&**database.name, &**database.owner);
    say("GRANT ALL ON SCHEMA PUBLIC TO ?", &[owner]);
    for schema in database.schemas.iter() {
        say_unless(say, "CREATE SCHEMA ? AUTHORIZATION ?", &[schema, owner], "PG_NAMESPACE", "NSPNAME", schema);
        say("ALTER SCHEMA ? OWNER TO ?", &[schema, owner]);
    }
    for extension in database.extensions.iter() {
        say("CREATE EXTENSION IF NOT EXISTS ?", &[extension]);
    }
    for grant in database.grants.iter() {
        let (role, schema) = (&**grant.role, &**grant.schema);
        let (on_schema, tables, sequences) = match *grant.rights {
            Rights::Read => ("USAGE", "SELECT", None),
            Rights::Write => ("USAGE", "SELECT , INSERT , UPDATE , DELETE", Some("USAGE")),
            Rights::All => ("ALL", "ALL", Some("ALL")),
        };
        say("GRANT CONNECT ON DATABASE ? TO ?", &[name, role]);
        say(&format!("GRANT {on_schema} ON SCHEMA ? TO ?"), &[schema, role]);
        for (rights, what) in [(Some(tables), "TABLES"), (sequences, "SEQUENCES")] {
            let Some(rights) = rights else { continue };
            say(&format!("GRANT {rights} ON ALL {what} IN SCHEMA ? TO ?"), &[schema, role]);
            let later = format!("ALTER DEFAULT PRIVILEGES FOR ROLE ? IN SCHEMA ? GRANT {rights} ON {what} TO ?");
            say(&later, &[owner, schema, role]);
        }
    }
}

fn say_unless(say: &mut dyn FnMut(&str, &[&str]), shape: &str, values: &[&str], table: &str, column: &str, name: &str) {
    let guard = format!("SELECT FROM PG_CATALOG . {table} WHERE {column} = ' {name}");
    say(&format!("{shape} unless {guard}"), values);
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|v| (*v).to_owned()).collect()
}

/// The access lines of every server on a host of the site.
pub fn access(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<&str, Vec<(&Emitted, Record)>> = BTreeMap::new();
    for file in texts.of(Format::PgHba).filter(|f| f.is_own()) {
        let records = file.read(pg_hba::read, bugs).unwrap_or_default();
        found.entry(file.host()).or_default().extend(records.into_iter().map(|r| (file, r)));
    }
    for server in ir.database_servers.iter().filter(|s| &**s.engine == "postgresql") {
        let Some(host) = &*server.host else { continue };
        let records = found.entry(host).or_default();
        for access in server.access.iter() {
            for net in access.nets.iter() {
                let place = records.iter().position(|(_, r)| {
                    r.kind == *access.kind.value
                        && r.databases == [&**access.database]
                        && r.users == [&**access.user]
                        && r.address == Some(Source::Net(net.trunc()))
                        && r.method == *access.method.value
                        && r.options.is_empty()
                });
                match place {
                    Some(i) => drop(records.remove(i)),
                    None => {
                        let (kind, user, database) = (&*access.kind, &*access.user, &*access.database);
                        let what = format!("`{kind} {database} {user} {} {}`", short_net(net), access.method.value);
                        bugs.no_file("pg_hba.conf", host, &what);
                    }
                }
            }
        }
    }
    for (file, record) in found.into_values().flatten() {
        let what = format!("access of `{}` to `{}`", joined(&record.users), joined(&record.databases));
        bugs.extra(file.at(record.line), &what);
    }
}

/// The configuration of every pooler.
pub fn poolers(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut found: BTreeMap<&str, (&Emitted, Vec<Section>)> = BTreeMap::new();
    for file in texts.of(Format::Ini).filter(|f| f.is_own() && f.path.ends_with("/pgbouncer.ini")) {
        found.extend(file.read(ini::read, bugs).map(|sections| (file.host(), (file, sections))));
    }
    for pooler in ir.poolers.iter().filter(|p| &**p.kind == "pgbouncer") {
        match found.remove(&**pooler.host) {
            Some((file, sections)) => settings(file, &sections, pooler, bugs),
            None => bugs.no_file("pgbouncer.ini", &pooler.host, &format!("the pooler of `{}`", pooler.server.value)),
        }
    }
    for (file, _) in found.into_values() {
        bugs.extra(file.at(0), "a pooler");
    }
}

/// Where a pooler finds its users; the script that copies them there names the same place.
const USER_LIST: &str = "/etc/pgbouncer/userlist.txt";

fn settings(file: &Emitted, sections: &[Section], pooler: &Pooler, bugs: &mut Bugs) {
    let mut meant: BTreeMap<(&str, String), String> = BTreeMap::new();
    for database in pooler.databases.iter() {
        let name = &**database.name;
        let to = format!("host={} port={} dbname={name}", database.address.value, *database.port);
        meant.insert(("databases", name.to_owned()), to);
    }
    let addresses: Vec<String> = pooler.addresses.iter().map(|a| a.to_string()).collect();
    let numbers = [("max_client_conn", *pooler.max_client_connections), ("default_pool_size", *pooler.pool_size)];
    let numbers = numbers.into_iter().filter_map(|(key, n)| Some((key, n?.to_string())));
    let fixed = [
        ("listen_addr", joined(&addresses)),
        ("listen_port", pooler.port.to_string()),
        ("auth_type", "scram-sha-256".into()),
        ("auth_file", USER_LIST.into()),
        ("pool_mode", pooler.mode.to_string()),
        ("ignore_startup_parameters", "extra_float_digits".into()),
    ];
    let tls = pooler.tls.then(|| ("server_tls_sslmode", "require".to_owned()));
    meant.extend(fixed.into_iter().chain(numbers).chain(tls).map(|(k, v)| (("pgbouncer", k.to_owned()), v)));
    // Where these lie is a matter of the system's packages; that there is one of each is not.
    let mut places = vec!["unix_socket_dir", "pidfile", "logfile"];
    for section in sections {
        for entry in &section.entries {
            let at: At = file.at(entry.line);
            let what = || format!("`{}` of section `{}`", entry.key, section.name);
            let place = places.iter().position(|p| section.name == "pgbouncer" && *p == entry.key);
            match (meant.remove(&(&*section.name, entry.key.clone())), place) {
                (Some(value), _) => bugs.same(at, &what, &*entry.value, &*value, &|s| s.to_owned()),
                (None, Some(place)) => {
                    places.remove(place);
                    if !entry.value.starts_with('/') || entry.value.contains(char::is_whitespace) {
                        bugs.wrong(at, &format!("{} is no path", what()));
                    }
                }
                (None, None) => bugs.extra(at, &what()),
            }
        }
    }
    for key in places {
        bugs.missing(file.path, &format!("`{key}` in section `pgbouncer`"));
    }
    for ((section, key), value) in meant {
        bugs.missing(file.path, &format!("`{key} = {value}` in section `{section}`"));
    }
}
