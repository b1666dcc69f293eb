//! Emitted reverse proxies (NGINX, Traefik) against the `Ir`'s, both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::bugs::{At, Bugs};
use super::fault::{Fault, Read};
use super::nginx::{self, Directive, size};
use super::traefik::{self, Routes};
use super::{Emitted, Texts};
use crate::emit::escape::Format;
use crate::ir::{Ir, Proxy};

/// NGINX files of hosts with a proxy of that kind.
pub fn nginx(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut meant: BTreeMap<(&str, String), &Proxy> = BTreeMap::new();
    for proxy in ir.proxies.iter().filter(|p| &**p.kind == "nginx") {
        meant.insert((&proxy.host.value, proxy.upstream.to_string()), proxy);
    }
    let mut seen = false;
    for file in texts.of(Format::Nginx) {
        let Some(directives) = file.read(nginx::read, bugs) else { continue };
        let own = file.is_own();
        seen |= own;
        match understood(&directives, "").and_then(|()| configuration(&directives)) {
            Err(_) if !own => {}
            Err(fault) => bugs.unreadable(file.path, &fault),
            Ok(found) => {
                for (name, site) in found {
                    let at = file.at(site.line);
                    let what = format!("a proxy to the upstream servers `{name}`");
                    match meant.remove(&(file.host(), name)) {
                        Some(proxy) => nginx_site(at, &site, proxy, bugs),
                        None if own => bugs.extra(at, &what),
                        None => {}
                    }
                }
            }
        }
    }
    for ((host, name), _) in meant.into_iter().filter(|_| seen) {
        bugs.no_file("nginx", host, &format!("the proxy to the upstream servers `{name}`"));
    }
}

/// Refuses directives that may change who is served with what in a way that is not compared below.
fn understood(block: &[Directive], context: &str) -> Read<()> {
    const REPEATING: [&str; 7] = ["map", "upstream", "server", "listen", "location", "proxy_set_header", "add_header"];
    for (i, directive) in block.iter().enumerate() {
        let name = &*directive.name;
        if !REPEATING.contains(&name) && block[..i].iter().any(|d| d.name == name) {
            return Err(Fault::new(directive.line, format!("`{name}` stands twice")));
        }
        let fine = match context {
            "" => matches!(name, "map" | "upstream" | "server"),
            "map" => true,
            "upstream" => matches!(name, "server" | "least_conn" | "ip_hash" | "keepalive" | "zone"),
            "server" if name.starts_with("ssl_") || name.starts_with("client_") => true,
            "server" => {
                matches!(
                    name,
                    "listen" | "server_name" | "location" | "access_log" | "error_log" | "http2" | "add_header"
                ) || name.starts_with("proxy_") && name != "proxy_set_header"
            }
            "location" => name.starts_with("proxy_"),
            _ => false,
        };
        if !fine {
            return Err(Fault::new(directive.line, format!("`{name}` is not understood here")));
        }
        if name == "location" && directive.args != ["/"] {
            return Err(Fault::new(directive.line, "a location beside `/`"));
        }
        understood(directive.block(), name)?;
    }
    Ok(())
}

/// One proxied site: a group of upstream servers and the server that passes requests on to it.
struct NginxSite {
    /// `address:port`, each with its passive health check.
    upstreams: BTreeMap<String, bool>,
    server: Directive,
    location: Directive,
    /// Variables that follow the Upgrade header of the request.
    upgrades: BTreeSet<String>,
    line: usize,
}

/// The proxied sites of a file by the name of their upstream group.
fn configuration(directives: &[Directive]) -> Read<BTreeMap<String, NginxSite>> {
    let (mut groups, mut upgrades) = (BTreeMap::new(), BTreeSet::new());
    for directive in directives {
        match &*directive.name {
            "upstream" => {
                let servers = servers(directive)?;
                if groups.insert(directive.arg()?.to_owned(), servers).is_some() {
                    return Err(Fault::new(directive.line, "a second group of upstream servers of this name"));
                }
            }
            "map" => {
                let follows = directive.args.first().is_some_and(|a| a == "$http_upgrade")
                    && directive.block().iter().any(|d| d.name == "default" && d.args == ["upgrade"]);
                upgrades.extend(directive.args.get(1).filter(|_| follows).cloned());
            }
            _ => {}
        }
    }
    let mut sites = BTreeMap::new();
    for server in directives.iter().filter(|d| d.name == "server") {
        for location in server.block().iter().filter(|d| d.name == "location" && d.args == ["/"]) {
            let Some(pass) = Directive::only(location.block(), "proxy_pass")? else { continue };
            let Some(name) = pass.arg()?.strip_prefix("http://") else {
                return Err(Fault::new(pass.line, "a destination that is not `http://` and a group"));
            };
            let Some(upstreams) = groups.remove(name) else {
                return Err(Fault::new(
                    pass.line,
                    format!("no group of upstream servers `{name}`, or it is used twice"),
                ));
            };
            let (server, location, upgrades) = (server.clone(), location.clone(), upgrades.clone());
            let line = server.line;
            sites.insert(name.to_owned(), NginxSite { upstreams, server, location, upgrades, line });
        }
    }
    match groups.into_keys().next() {
        Some(name) => Err(Fault::new(0, format!("the group of upstream servers `{name}` is used by nothing"))),
        None => Ok(sites),
    }
}

fn servers(group: &Directive) -> Read<BTreeMap<String, bool>> {
    let mut servers = BTreeMap::new();
    for server in group.block().iter().filter(|d| d.name == "server") {
        let Some((address, options)) = server.args.split_first() else {
            return Err(Fault::new(server.line, "a server without its address"));
        };
        if let Some(other) = options.iter().find(|o| *o == "down" || *o == "backup" || o.starts_with("weight=")) {
            return Err(Fault::new(server.line, format!("a server that does not take its full share: `{other}`")));
        }
        let checked = ["max_fails=", "fail_timeout="].iter().all(|p| options.iter().any(|o| o.starts_with(p)));
        if servers.insert(address.clone(), checked).is_some() {
            return Err(Fault::new(server.line, format!("the server `{address}` stands twice")));
        }
    }
    Ok(servers)
}

fn nginx_site(at: At, site: &NginxSite, meant: &Proxy, bugs: &mut Bugs) {
    upstreams(at, &site.upstreams.keys().cloned().collect(), meant, bugs);
    for address in site.upstreams.iter().filter(|(_, checked)| !**checked).map(|(a, _)| a) {
        bugs.wrong(at, &format!("the upstream server `{address}` has no `max_fails` and `fail_timeout`"));
    }
    if let Err(fault) = server(at, site, meant, bugs) {
        bugs.unreadable(at.path, &fault);
    }
}

fn upstreams(at: At, found: &BTreeSet<String>, meant: &Proxy, bugs: &mut Bugs) {
    let meant: BTreeSet<String> =
        meant.upstreams.iter().map(|u| std::net::SocketAddr::new(u.address.value, u.port.value).to_string()).collect();
    for missing in meant.difference(found) {
        bugs.wrong(at, &format!("the upstream server `{missing}` is missing"));
    }
    for extra in found.difference(&meant) {
        bugs.extra(at, &format!("the upstream server `{extra}`"));
    }
}

fn server(at: At, site: &NginxSite, meant: &Proxy, bugs: &mut Bugs) -> Read<()> {
    let block = site.server.block();
    let mut listens: BTreeSet<Vec<String>> = BTreeSet::new();
    for listen in block.iter().filter(|d| d.name == "listen") {
        if !listens.insert(listen.args.iter().filter(|a| *a != "http2").cloned().collect()) {
            return Err(Fault::new(listen.line, "a second `listen` of the same address and port"));
        }
    }
    let mut ports = vec![meant.port.to_string()];
    if meant.addresses.iter().any(|a| a.is_ipv6()) {
        ports.push(format!("[::]:{}", *meant.port));
    }
    let wanted: BTreeSet<Vec<String>> = ports.into_iter().map(|p| vec![p, "ssl".to_owned()]).collect();
    let lists = |set: &BTreeSet<Vec<String>>| set.iter().map(|l| l.join(" ")).collect::<Vec<_>>().join(", ");
    bugs.same(at, &|| "what it listens on".to_owned(), &listens, &wanted, &lists);

    let mut same = |name: &str, meant: Option<&str>| -> Read<()> {
        let found = Directive::only(block, name)?;
        let line = found.map_or(at.line, |d| d.line);
        let found = found.map(Directive::arg).transpose()?;
        let show = |o: &Option<&str>| o.unwrap_or("nothing").to_owned();
        bugs.same(At { line, ..at }, &|| format!("`{name}`"), &found, &meant, &show);
        Ok(())
    };
    same("server_name", Some(&meant.server_name))?;
    let tls = meant.certificate_file.as_deref().zip(meant.key_file.as_deref());
    same("ssl_certificate", tls.map(|t| t.0))?;
    same("ssl_certificate_key", tls.map(|t| t.1))?;

    let mut same_size = |name: &str, index: usize, meant: i64| -> Read<()> {
        let found = Directive::only(block, name)?;
        let bytes = found.and_then(|d| d.args.get(index)).and_then(|a| size(a));
        let line = found.map_or(at.line, |d| d.line);
        let show = |o: &Option<i64>| o.map_or_else(|| "nothing".to_owned(), |n| n.to_string());
        bugs.same(At { line, ..at }, &|| format!("`{name}` in bytes"), &bytes, &Some(meant), &show);
        Ok(())
    };
    same_size("client_max_body_size", 0, *meant.body_bytes)?;
    same_size("proxy_buffer_size", 0, *meant.buffer_bytes)?;
    same_size("proxy_buffers", 1, *meant.buffer_bytes)?;
    buffers(block)?;
    headers(at, site, meant, bugs)
}

/// The limit that `nginx -t` checks: busy buffers hold one buffer at least and leave one of all free.
fn buffers(block: &[Directive]) -> Read<()> {
    let arg = |name: &str, index: usize| {
        Directive::only(block, name).map(|d| d.and_then(|d| d.args.get(index)).and_then(|a| size(a)))
    };
    let (Some(number), Some(one), Some(first)) =
        (arg("proxy_buffers", 0)?, arg("proxy_buffers", 1)?, arg("proxy_buffer_size", 0)?)
    else {
        return Ok(());
    };
    let busy = arg("proxy_busy_buffers_size", 0)?.unwrap_or(2 * first.max(one));
    if number < 2 || busy < first.max(one) || busy > (number - 1).saturating_mul(one) {
        return Err(Fault::new(0, format!("the busy buffers of {busy} bytes do not fit {number} buffers of {one}")));
    }
    Ok(())
}

fn headers(at: At, site: &NginxSite, meant: &Proxy, bugs: &mut Bugs) -> Read<()> {
    let block = site.location.block();
    let mut found: BTreeMap<String, (&str, usize)> = BTreeMap::new();
    for header in block.iter().filter(|d| d.name == "proxy_set_header") {
        let [name, value] = header.args.as_slice() else {
            return Err(Fault::new(header.line, "a header without name and value"));
        };
        if found.insert(name.to_ascii_lowercase(), (value, header.line)).is_some() {
            return Err(Fault::new(header.line, format!("the header `{name}` is set twice")));
        }
    }
    let mut wanted = vec![
        ("Host", "$host"),
        ("X-Real-IP", "$remote_addr"),
        ("X-Forwarded-For", "$remote_addr"),
        ("X-Forwarded-Proto", "$scheme"),
    ];
    if *meant.websocket {
        wanted.push(("Upgrade", "$http_upgrade"));
    }
    for (name, value) in wanted {
        match found.get(&name.to_ascii_lowercase()) {
            Some((other, _)) if *other == value => {}
            Some((other, line)) => {
                let what = format!("the header `{name}` is `{other}`, and `{value}` was meant");
                bugs.wrong(At { line: *line, ..at }, &what);
            }
            None => bugs.wrong(At { line: site.location.line, ..at }, &format!("the header `{name}` is not set")),
        }
    }
    if *meant.websocket {
        let connection = found.get("connection").map(|(value, _)| *value);
        if connection.is_none_or(|c| !site.upgrades.contains(c)) {
            bugs.wrong(at, "the header `Connection` does not follow `Upgrade`, so WebSocket cannot begin");
        }
        let version = Directive::only(block, "proxy_http_version")?;
        if version.is_none_or(|d| d.args != ["1.1"]) {
            bugs.wrong(at, "`proxy_http_version` is not 1.1, so WebSocket cannot begin");
        }
    }
    Ok(())
}

/// The static configuration of a host and its dynamic files.
type TraefikFiles<'t> = (traefik::Static, Vec<(&'t Emitted<'t>, Routes)>);

/// Traefik files of hosts with a proxy of that kind.
pub fn traefik(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    let mut hosts: BTreeMap<&str, TraefikFiles> = BTreeMap::new();
    let mut seen = false;
    for file in texts.of(Format::Yaml).filter(|f| f.is_own()) {
        let Some((_, name)) = file.path.split_once("/etc/traefik/") else { continue };
        seen = true;
        let host = hosts.entry(file.host()).or_default();
        if name.starts_with("dynamic/") {
            host.1.extend(file.read(traefik::read_dynamic, bugs).map(|routes| (file, routes)));
        } else if let Some(fixed) = file.read(traefik::read_static, bugs) {
            host.0 = fixed;
        }
    }
    if !seen {
        return;
    }
    for proxy in ir.proxies.iter().filter(|p| &**p.kind == "traefik") {
        let Some((fixed, files)) = hosts.get_mut(&*proxy.host.value) else {
            bugs.no_file("traefik", &proxy.host, &format!("the proxy of `{}`", *proxy.product));
            continue;
        };
        let rule = format!("Host(`{}`)", *proxy.server_name);
        let place = files.iter().position(|(_, routes)| routes.routers.values().any(|r| r.rule == rule));
        match place.map(|i| files.remove(i)) {
            Some((file, routes)) => traefik_routes(file, fixed, &routes, &rule, proxy, bugs),
            None => bugs.no_file("traefik", &proxy.host, &format!("the router for `{rule}`")),
        }
    }
    for (file, _) in hosts.into_values().flat_map(|(_, files)| files) {
        if file.is_own() {
            bugs.extra(file.at(0), "routes");
        }
    }
}

fn traefik_routes(
    file: &Emitted,
    fixed: &traefik::Static,
    routes: &Routes,
    rule: &str,
    meant: &Proxy,
    bugs: &mut Bugs,
) {
    let at = file.at(0);
    // Where the dynamic file lies at the host is where Traefik must look.
    let folder = file.path.split_once("/root/").and_then(|(_, path)| path.rsplit_once('/'));
    let folder = folder.map(|(folder, _)| format!("/{folder}"));
    let show = |f: &Option<String>| f.clone().unwrap_or_else(|| "none".to_owned());
    bugs.same(at, &|| "the folder that Traefik reads".to_owned(), &fixed.directory, &folder, &show);
    for router in routes.routers.values() {
        if router.rule != rule {
            bugs.extra(at, &format!("the router for `{}`", router.rule));
            continue;
        }
        let port = match router.entry_points.as_slice() {
            [one] => fixed.entry_points.get(one),
            _ => None,
        };
        let show = |p: &Option<&u16>| p.map_or_else(|| "none".to_owned(), |p| p.to_string());
        bugs.same(at, &|| "the port of the router's entry point".to_owned(), &port, &Some(&*meant.port), &show);
        if !router.tls {
            bugs.wrong(at, "the router does not end TLS");
        }
        if router.entry_points.iter().any(|point| !fixed.patient.contains(point)) {
            bugs.wrong(at, "the router's entry point limits how long a request is read, which ends long uploads");
        }
        match routes.services.get(&router.service) {
            None => bugs.wrong(at, &format!("the service `{}` is not declared", router.service)),
            Some(service) => traefik_service(at, service, meant, bugs),
        }
    }
    for name in routes.services.keys().filter(|n| routes.routers.values().all(|r| r.service != **n)) {
        bugs.extra(at, &format!("the service `{name}`"));
    }
    let files: Vec<(String, String)> = meant
        .certificate_file
        .as_deref()
        .zip(meant.key_file.as_deref())
        .map(|(c, k)| (c.to_owned(), k.to_owned()))
        .into_iter()
        .collect();
    let show =
        |list: &Vec<(String, String)>| list.iter().map(|(c, k)| format!("{c} with {k}")).collect::<Vec<_>>().join(", ");
    bugs.same(at, &|| "the certificate".to_owned(), &routes.certificates, &files, &show);
}

fn traefik_service(at: At, service: &traefik::Service, meant: &Proxy, bugs: &mut Bugs) {
    let mut found = BTreeSet::new();
    for url in &service.servers {
        match url.strip_prefix("http://") {
            Some(address) => {
                found.insert(address.to_owned());
            }
            None => bugs.wrong(at, &format!("the server `{url}` is not reached over HTTP")),
        }
    }
    upstreams(at, &found, meant, bugs);
    // Without its path a check cannot be written.
    let wanted = meant.health_path.as_ref().zip(*meant.health_port).map(|(path, port)| (path.to_string(), port));
    let show = |h: &Option<(String, u16)>| {
        h.as_ref().map_or_else(|| "none".to_owned(), |(path, port)| format!("{path} on port {port}"))
    };
    bugs.same(at, &|| "the health check".to_owned(), &service.health, &wanted, &show);
    if !service.pass_host_header {
        bugs.wrong(at, "the Host header is not passed on");
    }
}
