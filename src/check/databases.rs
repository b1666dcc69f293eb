//! Database servers as a whole: names that nothing declares, databases that two products share, engines for which there is
//! no script, and pools that are larger than the server.

use super::places::{spec_span, spec_spans, spoken_of};
use crate::diag::codes::{CONFLICT, DATABASE_SHARED, ENGINE_WITHOUT_SCRIPT, TOO_MANY_CONNECTIONS, UNDECLARED_ROLE};
use crate::diag::{Diag, Findings, Level, similar_name};
use crate::ir::{DatabaseServer, F, Ir, Pooler};
use crate::site::Site;
use crate::source::{Sources, Span};
use crate::value::{Origins, Str, Value};

/// The engine for which scripts are made.
const ENGINE: &str = "postgresql";

/// Connections that PostgreSQL keeps for its administrators (`superuser_reserved_connections`).
const RESERVED: i64 = 3;

/// Judges every server and every pooler.
pub fn databases(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for server in &ir.database_servers {
        undeclared(server, &ir.poolers, sources, findings);
        for database in server.databases.iter().filter(|d| d.products.len() > 1) {
            // Products that do not even agree about its owner share it by mistake.
            if spoken_of(findings, CONFLICT, &database.owner.origins, sources) {
                continue;
            }
            let products: Vec<String> = database.products.iter().map(|p| format!("`{p}`")).collect();
            let (name, on) = (&database.name.value, &server.server.value);
            let message = format!("{} share the database `{name}` on `{on}`", products.join(" and "));
            let mut diag = Diag::new(DATABASE_SHARED, message);
            for (i, span) in named(&database.name, sources).into_iter().enumerate() {
                diag = if i == 0 { diag.at(span, "") } else { diag.and(span, "and here") };
            }
            findings.push(diag.help("give each product a database of its own with an owner of its own"));
        }
        let engine = &*server.engine.value;
        let things = server.databases.len() + server.roles.len();
        let span = spec_span(&server.engine.origins, sources);
        // What a product says of this engine already is the same cause.
        let told = |d: &Diag| d.level == Level::Error && span.is_some() && d.primary.as_ref().map(|l| l.span) == span;
        if engine != ENGINE && !engine.is_empty() && things > 0 && !findings.iter().any(told) {
            let on = &server.server.value;
            let message = format!("no script is made for the databases and roles on `{on}`, which is `{engine}`");
            let diag = Diag::new(ENGINE_WITHOUT_SCRIPT, message).at_maybe(span, "");
            findings.push(diag.help("create them by hand, with the names that the spec gives"));
        }
    }
    for pooler in &ir.poolers {
        connections(pooler, site, sources, findings);
    }
}

/// The places of the spec where a name stands, or those that it was made of.
fn named(name: &F<Str>, sources: &Sources) -> Vec<Span> {
    let all = spec_spans(&name.origins, sources);
    let is_name = |span: &&Span| sources.text(**span).trim_matches(['"', '\'']) == &*name.value;
    let exact: Vec<Span> = all.iter().filter(is_name).copied().collect();
    if exact.is_empty() { all } else { exact }
}

/// Owners, users and databases that no product declares on their server.
fn undeclared(server: &DatabaseServer, poolers: &[std::sync::Arc<Pooler>], sources: &Sources, findings: &mut Findings) {
    let roles: Vec<&str> = server.roles.iter().map(|r| &**r.name).collect();
    let databases: Vec<&str> = server.databases.iter().map(|d| &**d.name).collect();
    let mut say = |what: &str, known: &[&str], name: &Str, origins: &Origins, by: &str| {
        if known.contains(&&**name) {
            return;
        }
        let message = format!("{by} names the {what} `{name}`, and nothing declares it on `{}`", server.server.value);
        let spans = origins.as_slice().iter().filter_map(|p| sources.span_of(*p)).next();
        let mut diag = Diag::new(UNDECLARED_ROLE, message).at_maybe(spec_span(origins, sources).or(spans), "");
        if let Some(near) = similar_name(name, known.iter().copied()) {
            diag = diag.help(format!("there is a {what} `{near}`"));
        }
        findings.push(diag);
    };
    for database in server.databases.iter() {
        let by = format!("the database `{}`", database.name.value);
        say("role", &roles, &database.owner.value, &database.owner.origins, &by);
        for grant in database.grants.iter() {
            say("role", &roles, &grant.role.value, &grant.role.origins, &by);
        }
    }
    for role in server.roles.iter() {
        for group in role.member_of.iter() {
            let by = format!("the role `{}`", role.name.value);
            // PostgreSQL brings roles of its own.
            if !group.starts_with("pg_") {
                say("role", &roles, group, &role.member_of.origins, &by);
            }
        }
    }
    for access in server.access.iter() {
        say("role", &roles, &access.user.value, &access.user.origins, "an access line");
        say("database", &databases, &access.database.value, &access.database.origins, "an access line");
    }
    for pooler in poolers.iter().filter(|p| *p.server == *server.server) {
        for user in pooler.users.iter() {
            say("role", &roles, user, &pooler.users.origins, "the pooler");
        }
        for database in pooler.databases.iter() {
            say("database", &databases, &database.name.value, &database.name.origins, "the pooler");
        }
    }
}

/// A pooler opens a pool for each user and database; together they must fit into the server.
fn connections(pooler: &Pooler, site: &Site, sources: &Sources, findings: &mut Findings) {
    let limit = site.entry("databases", &pooler.server).and_then(|e| e.get("max_connections"));
    let (Some(size), Some(Value::Int(limit_value))) = (*pooler.pool_size, limit.map(|l| &l.value)) else { return };
    let pools = pooler.users.len().max(1).saturating_mul(pooler.databases.len().max(1));
    let wanted = size.saturating_mul(i64::try_from(pools).unwrap_or(i64::MAX));
    if wanted <= limit_value.saturating_sub(RESERVED) {
        return;
    }
    let message = format!(
        "the pooler of `{}` may open {wanted} connections, and the server takes {limit_value}, {RESERVED} of them for \
         administrators",
        pooler.server.value
    );
    let diag = Diag::new(TOO_MANY_CONNECTIONS, message)
        .at_maybe(spec_span(&pooler.pool_size.origins, sources), "of each pool");
    let diag = match limit.and_then(|l| spec_span(&l.origins, sources)) {
        Some(span) => diag.and(span, "of the server"),
        None => diag,
    };
    findings.push(diag.help("make the pools smaller, or let the server take more"));
}
