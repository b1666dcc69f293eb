//! Database servers: the roles, databases and access lines of all products on one server, and the poolers in front.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::items::Item;
use super::merge::{either, merge_field, unite};
use super::peers::{host_addresses, merged, open_within, peers};
use super::storage::pointer;
use crate::diag::Diag;
use crate::diag::codes::PACK_EVALUATION;
use crate::instance::{Run, Withheld};
use crate::ir::{Access, Database, DatabaseGrant, DatabaseServer, F, PooledDatabase, Pooler, Rights, Role};
use crate::pack::expr::Unanswered;
use crate::site::Site;
use crate::value::{Origins, Ref, Str, Tracked, Value};

/// The items of packs about database servers.
#[derive(Debug)]
pub struct Given<'a> {
    pub roles: &'a [Item],
    pub databases: &'a [Item],
    pub access: &'a [Item],
}

/// Everything on each server, one item per server that any of these names.
pub fn servers(given: &Given, site: &Site, run: &mut Run) -> Vec<Arc<DatabaseServer>> {
    let mut roles = by_server(roles(given.roles, site, run), |r| &r.server);
    let mut databases = by_server(databases(given.databases, site, run), |d| &d.server);
    let mut access = by_server(access(given.access, site, run), |a| &a.server);
    let mut list = Vec::new();
    for (name, entry) in site.table("databases") {
        let (roles, databases, access) = (roles.remove(name), databases.remove(name), access.remove(name));
        if roles.is_none() && databases.is_none() && access.is_none() {
            continue;
        }
        list.push(Arc::new(server(name, entry, site, roles, databases, access)));
    }
    list.sort_by_cached_key(|s| s.server.value.clone());
    list
}

fn server(
    name: &Str,
    entry: &Tracked,
    site: &Site,
    roles: Option<Vec<Arc<Role>>>,
    databases: Option<Vec<Arc<Database>>>,
    access: Option<Vec<Arc<Access>>>,
) -> DatabaseServer {
    let place = place(entry, site);
    // A server with nothing but what these read is there because of each of them.
    let of_roles = roles.iter().flatten().flat_map(|r| [&r.server.origins, &r.name.origins]);
    let of_databases = databases.iter().flatten().map(|d| &d.server.origins);
    let of_access = access.iter().flatten().map(|a| &a.server.origins);
    let exists = Origins::all(of_roles.chain(of_databases).chain(of_access).chain([&entry.origins]));
    let of_lines = Origins::all(&access.iter().flatten().map(|a| a.origins()).collect::<Vec<_>>());
    let text = |key: &str| {
        let value = entry.get(key).cloned().unwrap_or_default();
        F::new(value.value.text().unwrap_or_default(), value.origins)
    };
    DatabaseServer {
        server: F::new(name.clone(), exists.clone()),
        engine: text("engine"),
        host: place.host,
        address: place.address,
        port: port(entry),
        roles: F::new(roles.unwrap_or_default(), exists.clone()),
        databases: F::new(databases.unwrap_or_default(), exists.clone()),
        // The file of access lines is there because of each of them.
        access: F::new(access.unwrap_or_default(), exists.union(&of_lines)),
    }
}

/// Where a server or a pooler runs.
struct Place {
    /// The host of the site; `None` where somebody else runs it.
    host: F<Option<Str>>,
    /// The name under which it is reached, else its address; empty while the spec gives neither.
    address: F<Str>,
}

fn place(entry: &Tracked, site: &Site) -> Place {
    let managed = entry.get("managed").cloned().unwrap_or_default();
    let at = entry.get("host").cloned().unwrap_or_default();
    let Value::Ref(server) = &at.value else {
        return Place { host: F::new(None, at.origins.clone()), address: F::new("".into(), at.origins) };
    };
    let Ref { table, name } = &**server;
    let own = &**table == "hosts" && managed.value != Value::Bool(true);
    let found = site.entry(table, name);
    let fqdn = found.and_then(|e| e.get("fqdn")).and_then(|f| Some(F::new(f.value.text()?, f.origins.clone())));
    let address = found.and_then(|e| host_addresses(e).into_iter().next());
    let address = fqdn.or_else(|| address.map(|a| a.map(|a| a.to_string().into())));
    let mut address = address.unwrap_or_else(|| F::new(name.clone(), at.origins.clone()));
    address.origins = address.origins.union(&at.origins);
    Place { host: F::new(own.then(|| name.clone()), at.origins.union(&managed.origins)), address }
}

fn port(entry: &Tracked) -> F<Option<i64>> {
    let value = entry.get("port").cloned().unwrap_or_default();
    let port = crate::instance::ports_of(&value.value).and_then(|p| Some(i64::from(p.first()?.low)));
    F::new(port, value.origins)
}

fn by_server<T>(list: Vec<Arc<T>>, server: impl Fn(&T) -> &F<Str>) -> BTreeMap<Str, Vec<Arc<T>>> {
    let mut map: BTreeMap<Str, Vec<Arc<T>>> = BTreeMap::new();
    for item in list {
        map.entry(server(&item).value.clone()).or_default().push(item);
    }
    map
}

/// The server that an item names; a finding when the spec has none of that name.
fn named(item: &Item, site: &Site, run: &mut Run) -> Option<F<Str>> {
    let server = item.text("server", run)?;
    if site.entry("databases", &server).is_none() {
        let message = format!("there is no `{}` in `databases`", *server);
        run.findings.push(Diag::new(PACK_EVALUATION, message).at(item.span, ""));
        return None;
    }
    Some(server)
}

fn roles(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Role>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(server), Some(name)) = (named(item, site, run), item.text("name", run)) else { continue };
        let optional = |name: &str, run: &mut Run| match item.text(name, run) {
            Some(text) => text.map(Some),
            None => item.field(None),
        };
        list.push(Arc::new(Role {
            product: item.field(item.product.clone()),
            login: item.bool("login", run).unwrap_or_else(|| item.field(true)),
            connection_limit: item.int("connection_limit", run).map_or_else(|| item.field(None), |n| n.map(Some)),
            member_of: item.texts("member_of", run).unwrap_or_else(|| item.field(Vec::new())),
            secret: optional("secret", run),
            why: item.field(item.why.clone()),
            server,
            name,
        }));
    }
    let key = |r: &Role| (r.server.value.clone(), r.name.value.clone());
    list.sort_by_cached_key(|r| key(r));
    let merge = |a: &Role, b: &Role, run: &mut Run| Role {
        login: merge_field(&a.login, &b.login, &format!("right to sign in of the role `{}`", *a.name), run),
        connection_limit: either(
            &a.connection_limit,
            &b.connection_limit,
            &format!("connection limit of the role `{}`", *a.name),
            run,
        ),
        member_of: together(&a.member_of, &b.member_of),
        secret: either(&a.secret, &b.secret, &format!("password of the role `{}`", *a.name), run),
        server: both(&a.server, &b.server),
        name: both(&a.name, &b.name),
        why: words(&a.why, &b.why),
        ..a.clone()
    };
    unite(list, run, merge, key)
}

fn databases(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Database>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(server), Some(name), Some(owner)) =
            (named(item, site, run), item.text("name", run), item.text("owner", run))
        else {
            continue;
        };
        let texts = |name: &str, run: &mut Run| item.texts(name, run).unwrap_or_else(|| item.field(Vec::new()));
        list.push(Arc::new(Database {
            products: item.field(vec![item.product.clone()]),
            encoding: item.text("encoding", run).unwrap_or_else(|| item.field("UTF8".into())),
            locale: item.text("locale", run).map_or_else(|| item.field(None), |l| l.map(Some)),
            extensions: texts("extensions", run),
            schemas: texts("schemas", run),
            grants: grants(item, run),
            why: item.field(item.why.clone()),
            server,
            name,
            owner,
        }));
    }
    let key = |d: &Database| (d.server.value.clone(), d.name.value.clone());
    list.sort_by_cached_key(|d| key(d));
    let merge = |a: &Database, b: &Database, run: &mut Run| Database {
        products: together(&a.products, &b.products),
        owner: merge_field(&a.owner, &b.owner, &format!("owner of the database `{}`", *a.name), run),
        encoding: merge_field(&a.encoding, &b.encoding, &format!("encoding of the database `{}`", *a.name), run),
        locale: either(&a.locale, &b.locale, &format!("locale of the database `{}`", *a.name), run),
        extensions: together(&a.extensions, &b.extensions),
        schemas: together(&a.schemas, &b.schemas),
        grants: together(&a.grants, &b.grants),
        server: both(&a.server, &b.server),
        name: both(&a.name, &b.name),
        why: words(&a.why, &b.why),
    };
    unite(list, run, merge, key)
}

/// `grants = [{ role = "reports", schema = "public", rights = "read" }]`.
fn grants(item: &Item, run: &mut Run) -> F<Vec<Arc<DatabaseGrant>>> {
    let Some(given) = item.answered("grants") else { return item.field(Vec::new()) };
    let mut list = Vec::new();
    for grant in given.items() {
        let text = |key: &str| {
            let value = grant.get(key)?;
            Some(F::new(value.value.text()?, value.origins.union(&item.exists)))
        };
        let rights = text("rights").unwrap_or_else(|| item.field("read".into()));
        let known = [Rights::Read, Rights::Write, Rights::All].into_iter().find(|r| r.name() == &**rights);
        let (Some(role), Some(known)) = (text("role"), known) else {
            run.not_a(item.span, "a `role`, a `schema` and `rights` (`read`, `write` or `all`)", &grant.value);
            continue;
        };
        list.push(Arc::new(DatabaseGrant {
            role,
            schema: text("schema").unwrap_or_else(|| item.field("public".into())),
            rights: F::new(known, rights.origins),
        }));
    }
    list.sort_by_cached_key(|g| (g.schema.value.clone(), g.role.value.clone()));
    F::new(list, given.origins.clone())
}

fn access(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Access>> {
    let mut list = Vec::new();
    for item in items {
        let (Some(server), Some(database), Some(user), Some(clients)) =
            (named(item, site, run), item.text("database", run), item.text("user", run), item.answered("clients"))
        else {
            continue;
        };
        let Some(found) = peers(clients, site) else {
            if let Some(open) = open_within(clients) {
                item.withhold(format!("lines of `pg_hba.conf` for `{}`", *user), vec![open], run);
            } else if super::additions::names_faulty(clients, site) {
                run.unknown.insert("access");
            } else {
                run.not_a(item.span, "hosts, networks or addresses for `clients`", &clients.value);
            }
            continue;
        };
        if found.value.nets.is_empty() {
            // A name is not enough: the server would have to look it up at every connection.
            run.withheld.push(Withheld {
                product: item.product.clone(),
                what: format!("lines of `pg_hba.conf` for `{}`", *user),
                unanswered: vec![without_address(clients)],
                why: item.why.clone(),
                origins: user.origins.clone(),
            });
            continue;
        }
        let entry = site.entry("databases", &server);
        let tls = entry.and_then(|e| e.get("tls")).cloned().unwrap_or_default();
        let kind = if tls.value == Value::Bool(true) { "hostssl" } else { "host" };
        list.push(Arc::new(Access {
            kind: F::new(kind.into(), tls.origins.union(&item.exists)),
            nets: found.map(|p| p.nets.to_vec()),
            method: item.text("method", run).unwrap_or_else(|| item.field("scram-sha-256".into())),
            why: item.field(vec![item.why.clone()]),
            server,
            database,
            user,
        }));
    }
    let key =
        |a: &Access| (a.server.value.clone(), a.database.value.clone(), a.user.value.clone(), a.method.value.clone());
    list.sort_by_cached_key(|a| key(a));
    let merge = |a: &Access, b: &Access, _: &mut Run| Access {
        nets: F::new(
            merged(a.nets.iter().chain(b.nets.iter()).copied().collect()),
            a.nets.origins.union(&b.nets.origins),
        ),
        why: together(&a.why, &b.why),
        server: both(&a.server, &b.server),
        ..a.clone()
    };
    unite(list, run, merge, key)
}

/// The place where the addresses of a client belong.
fn without_address(clients: &Tracked) -> Unanswered {
    let first = clients.items().first().unwrap_or(clients);
    let place = match &first.value {
        Value::Ref(r) => Some(pointer(&[&r.table, &r.name, "addresses"])),
        _ => None,
    };
    Unanswered { path: "addresses".into(), pointer: place, origins: first.origins.clone(), reads: Origins::None }
}

/// Poolers: what the spec says of one, with what packs propose where it does not; one per server.
pub fn poolers(items: &[Item], site: &Site, run: &mut Run) -> Vec<Arc<Pooler>> {
    let mut list = Vec::new();
    for item in items {
        if let Some(pooler) = pooler(item, site, run) {
            list.push(Arc::new(pooler));
        }
    }
    let key = |p: &Pooler| p.server.value.clone();
    list.sort_by_cached_key(|p| key(p));
    let merge = |a: &Pooler, b: &Pooler, run: &mut Run| {
        let of = |what: &str| format!("{what} of the pooler of `{}`", *a.server);
        Pooler {
            mode: merge_field(&a.mode, &b.mode, &of("mode"), run),
            max_client_connections: either(
                &a.max_client_connections,
                &b.max_client_connections,
                &of("number of clients"),
                run,
            ),
            pool_size: either(&a.pool_size, &b.pool_size, &of("size of a pool"), run),
            databases: together(&a.databases, &b.databases),
            users: together(&a.users, &b.users),
            host: both(&a.host, &b.host),
            server: both(&a.server, &b.server),
            ..a.clone()
        }
    };
    let mut united = unite(list, run, merge, key);
    for pooler in &mut united {
        let pooler = Arc::make_mut(pooler);
        pooler.databases.value.sort_by_cached_key(|d| d.name.value.clone());
        pooler.users.value.sort();
    }
    united
}

fn pooler(item: &Item, site: &Site, run: &mut Run) -> Option<Pooler> {
    let server = named(item, site, run)?;
    let entry = site.entry("databases", &server)?;
    let given = entry.get("pooler")?;
    if given.value.text().is_some() {
        return None;
    }
    let faulty = |of: &Tracked| {
        of.value.is_poison() || ["host", "port"].iter().any(|key| of.get(key).is_some_and(|v| v.value.is_poison()))
    };
    if faulty(entry) || faulty(given) {
        return None;
    }
    let behind = place(entry, site);
    let (at, own, listens) = (place(given, site), port(entry), port(given));
    let mut open = Vec::new();
    let mut need = |answered: bool, path: &[&str], origins: &Origins| {
        if !answered {
            open.push(Unanswered {
                path: path.join("."),
                pointer: Some(pointer(&[&["databases", &server], path].concat())),
                origins: origins.clone(),
                reads: server.origins.clone(),
            });
        }
    };
    need(at.host.is_some(), &["pooler", "host"], &at.host.origins);
    need(listens.is_some(), &["pooler", "port"], &listens.origins);
    need(!behind.address.is_empty(), &["host"], &behind.address.origins);
    need(own.is_some(), &["port"], &own.origins);
    let (Some(host), Some(own_port), Some(listens_at), true) =
        (at.host.value.clone(), own.value, listens.value, open.is_empty())
    else {
        run.withheld.push(Withheld {
            product: item.product.clone(),
            what: format!("configuration of the pooler of `{}`", *server),
            unanswered: open,
            why: item.why.clone(),
            origins: server.origins.clone(),
        });
        return None;
    };
    let of_spec = |key: &str| {
        let value = given.get(key).filter(|v| !v.value.is_null())?;
        Some(F::new(value.value.clone(), value.origins.union(&item.exists)))
    };
    let number = |key: &str, run: &mut Run| match of_spec(key) {
        Some(F { value: Value::Int(n), origins }) => F::new(Some(n), origins),
        _ => item.int(key, run).map_or_else(
            || F::new(None, given.get(key).map_or(Origins::None, |v| v.origins.clone()).union(&item.exists)),
            |n| n.map(Some),
        ),
    };
    let text = |key: &str, default: &str, run: &mut Run| match of_spec(key)
        .and_then(|v| v.value.text().map(|t| (t, v.origins)))
    {
        Some((text, origins)) => F::new(text, origins),
        None => item.text(key, run).unwrap_or_else(|| {
            F::new(default.into(), given.get(key).map_or(Origins::None, |v| v.origins.clone()).union(&item.exists))
        }),
    };
    let tls = entry.get("tls").cloned().unwrap_or_default();
    let managed = entry.get("managed").cloned().unwrap_or_default();
    let addresses = site.host_addresses(&host);
    let address_origins = Origins::all(addresses.iter().map(|a| &a.origins));
    let mut names = item.texts("databases", run)?;
    names.value.sort();
    let databases = names.iter().map(|name| {
        Arc::new(PooledDatabase {
            name: F::new(name.clone(), names.origins.clone()),
            address: behind.address.clone(),
            port: F::new(own_port, own.origins.clone()),
        })
    });
    Some(Pooler {
        kind: text("kind", "pgbouncer", run),
        addresses: F::new(addresses.into_iter().map(|a| a.value).collect(), address_origins.union(&at.host.origins)),
        mode: text("mode", "session", run),
        max_client_connections: number("max_client_connections", run),
        pool_size: number("pool_size", run),
        tls: F::new(tls.value == Value::Bool(true), tls.origins.union(&item.exists)),
        databases: F::new(databases.collect(), names.origins.clone()),
        users: item.texts("users", run)?,
        copies_passwords: F::new(behind.host.is_some(), behind.host.origins.union(&managed.origins)),
        host: F::new(host, at.host.origins.union(&item.exists)),
        port: F::new(listens_at, listens.origins),
        server,
    })
}

/// Two lists as one, in the order of the first, with both origins.
fn together<T: Clone + PartialEq>(a: &F<Vec<T>>, b: &F<Vec<T>>) -> F<Vec<T>> {
    let mut list = a.value.clone();
    for item in &b.value {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
    F::new(list, a.origins.union(&b.origins))
}

/// The common value with both origins.
fn both<T: Clone>(a: &F<T>, b: &F<T>) -> F<T> {
    F::new(a.value.clone(), a.origins.union(&b.origins))
}

/// Two reasons as one.
fn words(a: &F<Str>, b: &F<Str>) -> F<Str> {
    match a.value == b.value {
        true => both(a, b),
        false => F::new(format!("{}; {}", a.value, b.value).into(), a.origins.union(&b.origins)),
    }
}
