//! Database servers: who connects against who may, and roles that have nothing to work with.

use std::collections::BTreeSet;

use ipnet::IpNet;

use super::places::{label, spec_spans, spoken_of};
use crate::diag::codes::{ACCESS_NOT_COVERED, CONFLICT, PORT_CONFLICT, ROLE_WITHOUT_DATABASE};
use crate::diag::{Diag, Findings};
use crate::ir::{DatabaseServer, Ir, Scope, short_net};
use crate::lower::storage::pointer;
use crate::site::Site;
use crate::source::Sources;
use crate::value::{Origins, Ports};

/// Checks all database servers on which products have roles.
pub fn access_and_roles(ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    for server in &ir.database_servers {
        access(server, ir, site, sources, findings);
        roles(server, sources, findings);
    }
}

/// Addresses from which a product connects and which no line for its roles admits.
fn access(server: &DatabaseServer, ir: &Ir, site: &Site, sources: &Sources, findings: &mut Findings) {
    let Some(host) = server.host.as_ref() else { return };
    let Some(port) = server.port.value.and_then(|p| u16::try_from(p).ok()) else { return };
    // Where something else listens on this port, nobody can tell whose the traffic is.
    if server.access.is_empty() || spoken_of(findings, PORT_CONFLICT, &server.port.origins, sources) {
        return;
    }
    let own = site.host_addresses(host);
    let products: BTreeSet<&str> = server.roles.iter().map(|r| &*r.product.value).collect();
    for product in products {
        let users: BTreeSet<&str> =
            server.roles.iter().filter(|r| &*r.product.value == product).map(|r| &*r.name.value).collect();
        let lines: Vec<_> =
            server.access.iter().filter(|a| users.contains(&*a.user.value) || &*a.user.value == "all").collect();
        let admitted = |net: &IpNet| lines.iter().flat_map(|a| a.nets.iter()).any(|n| n.contains(net));
        let mut missing: BTreeSet<IpNet> = BTreeSet::new();
        let mut origins: Vec<Origins> = Vec::new();
        for flow in ir.flows.iter().filter(|f| *f.product.value == *product && *f.scope == Scope::Site) {
            let here = flow.ports.is_some_and(|p| p.contains(Ports::one(port)))
                && own.iter().any(|a| flow.to_hosts.nets.iter().any(|n| n.contains(&a.value)));
            // Whom an IPv4 line admits need not come by IPv6, too.
            let of_family = |net: &&IpNet| {
                let v4 = net.addr().is_ipv4();
                lines.iter().flat_map(|a| a.nets.iter()).any(|n| n.addr().is_ipv4() == v4) || lines.is_empty()
            };
            if here {
                let out: Vec<IpNet> =
                    flow.from_hosts.nets.iter().filter(of_family).filter(|n| !admitted(n)).copied().collect();
                if !out.is_empty() {
                    missing.extend(out);
                    origins.push(flow.from_hosts.origins.clone());
                }
            }
        }
        let Some(first) = missing.first() else { continue };
        let more = if missing.len() > 1 { format!(" and {} more", missing.len() - 1) } else { String::new() };
        let message = format!(
            "`{product}` connects to database server `{}` from {}{more}, which `pg_hba.conf` does not admit",
            *server.server,
            short_net(first)
        );
        let mut diag = Diag::new(ACCESS_NOT_COVERED, message);
        for span in spec_spans(&Origins::all(&origins), sources).into_iter().take(3) {
            diag = label(diag, Some(span), "");
        }
        let of_pack = lines.first().and_then(|a| a.nets.origins.as_slice().iter().find_map(|p| sources.span_of(*p)));
        diag = label(diag, of_pack, "who is admitted");
        diag = diag.pointer(pointer(&["databases", &server.server]));
        findings.push(diag.help("admit all hosts that connect: the pack's `access` and its flows must agree"));
    }
}

/// Roles that may sign in and own nothing, may nothing and belong to nobody.
fn roles(server: &DatabaseServer, sources: &Sources, findings: &mut Findings) {
    let mut used: BTreeSet<&str> = server.databases.iter().map(|d| &*d.owner.value).collect();
    used.extend(server.databases.iter().flat_map(|d| d.grants.iter()).map(|g| &*g.role.value));
    used.extend(server.roles.iter().flat_map(|r| r.member_of.iter()).map(|r| &**r));
    for role in server.roles.iter().filter(|r| *r.login && r.member_of.is_empty()) {
        // Of two that want to own one database, one goes without until they agree.
        if used.contains(&*role.name.value) || spoken_of(findings, CONFLICT, &role.name.origins, sources) {
            continue;
        }
        let message = format!("the role `{}` of database server `{}` has no database", *role.name, *server.server);
        let mut diag = Diag::new(ROLE_WITHOUT_DATABASE, message);
        for span in spec_spans(&role.name.origins, sources).into_iter().take(2) {
            diag = label(diag, Some(span), "");
        }
        let of_pack = role.name.origins.as_slice().iter().filter_map(|p| sources.span_of(*p));
        let of_pack = of_pack.into_iter().find(|s| sources.file(s.file).role == crate::source::Role::Pack);
        diag = label(diag, of_pack, "the role");
        diag.waivable = true;
        diag = diag.pointer(pointer(&["databases", &server.server]));
        findings.push(diag.help("give it a database or rights in one, or use the role that has them"));
    }
}
