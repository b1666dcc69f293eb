//! Text of Traefik's static and dynamic configuration (version 3) → entry points, routers, services, certificates.
//!
//! Traefik ignores some of what it does not know; here every key that is not understood is a fault.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Fault, Read};
use super::yaml::{self, Document, Fields};
use crate::node::Data;

/// The static configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Static {
    /// Ports by the name of their entry point.
    pub entry_points: BTreeMap<String, u16>,
    /// Entry points that read a request for as long as it takes.
    pub patient: BTreeSet<String>,
    /// The folder of dynamic files.
    pub directory: Option<String>,
}

/// One file of the dynamic configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    pub routers: BTreeMap<String, Router>,
    pub services: BTreeMap<String, Service>,
    /// Files of certificates and keys.
    pub certificates: Vec<(String, String)>,
}

/// A router.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Router {
    pub rule: String,
    pub entry_points: Vec<String>,
    pub service: String,
    pub tls: bool,
}

/// A service with its servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub servers: Vec<String>,
    pub health: Option<(String, u16)>,
    pub pass_host_header: bool,
}

/// Reads the static configuration.
pub fn read_static(text: &str) -> Read<Static> {
    let document = needed(text)?;
    let known = ["entryPoints", "providers", "log", "accessLog", "api", "ping", "global", "certificatesResolvers"];
    let root = Fields::of(&document, &document.root, &known)?;
    let mut fixed = Static::default();
    for entry in root.need("entryPoints")?.entries() {
        let point = Fields::of(
            &document,
            &entry.value,
            &["address", "forwardedHeaders", "proxyProtocol", "http", "transport"],
        )?;
        let address = point.text("address")?;
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
        let port = port.ok_or_else(|| Fault::new(point.line(), format!("`{address}` is not `host:port`")))?;
        if point.get("forwardedHeaders").is_some() {
            let headers = point.below("forwardedHeaders", &["insecure", "trustedIPs"])?;
            if let Some(Data::Bool { value: true, .. }) = headers.get("insecure").map(|n| &n.data) {
                return Err(Fault::new(headers.line(), "forwarded headers of any client are trusted"));
            }
        }
        if point.get("transport").is_some() {
            let timeouts = point
                .below("transport", &["respondingTimeouts"])?
                .below("respondingTimeouts", &["readTimeout", "writeTimeout", "idleTimeout"])?;
            if timeouts.maybe_text("readTimeout")?.is_some_and(|limit| limit == "0s") {
                fixed.patient.insert(entry.key.to_string());
            }
        }
        fixed.entry_points.insert(entry.key.to_string(), port);
    }
    if root.get("providers").is_some() {
        let providers = root.below("providers", &["file"])?;
        fixed.directory = providers.below("file", &["directory", "watch"])?.maybe_text("directory")?;
    }
    Ok(fixed)
}

/// Reads one file of the dynamic configuration.
pub fn read_dynamic(text: &str) -> Read<Routes> {
    let document = needed(text)?;
    let root = Fields::of(&document, &document.root, &["http", "tls"])?;
    let mut routes = Routes::default();
    if root.get("http").is_some() {
        let http = root.below("http", &["routers", "services"])?;
        for entry in http.get("routers").map_or(&[][..], |n| n.entries()) {
            let router = Fields::of(&document, &entry.value, &["rule", "entryPoints", "service", "tls", "priority"])?;
            let router = Router {
                rule: router.text("rule")?,
                entry_points: router.texts("entryPoints")?,
                service: router.text("service")?,
                tls: router.get("tls").is_some_and(|n| matches!(n.data, Data::Map(_))),
            };
            routes.routers.insert(entry.key.to_string(), router);
        }
        for entry in http.get("services").map_or(&[][..], |n| n.entries()) {
            let service = Fields::of(&document, &entry.value, &["loadBalancer"])?;
            routes.services.insert(entry.key.to_string(), self::service(&document, &service)?);
        }
    }
    if root.get("tls").is_some() {
        let tls = root.below("tls", &["certificates", "options", "stores"])?;
        for item in tls.list("certificates")? {
            let pair = Fields::of(&document, item, &["certFile", "keyFile"])?;
            routes.certificates.push((pair.text("certFile")?, pair.text("keyFile")?));
        }
        for entry in tls.get("options").map_or(&[][..], |n| n.entries()) {
            let known = ["minVersion", "maxVersion", "cipherSuites", "sniStrict", "curvePreferences"];
            let options = Fields::of(&document, &entry.value, &known)?;
            if let Some(version) = options.maybe_text("minVersion")?
                && !matches!(&*version, "VersionTLS12" | "VersionTLS13")
            {
                return Err(Fault::new(options.line(), format!("`{version}` is no version of TLS to begin with")));
            }
        }
    }
    Ok(routes)
}

fn service(document: &Document, fields: &Fields) -> Read<Service> {
    let balancer =
        fields.below("loadBalancer", &["servers", "healthCheck", "passHostHeader", "sticky", "serversTransport"])?;
    let mut servers = Vec::new();
    for item in balancer.list("servers")? {
        let server = Fields::of(document, item, &["url"])?;
        let url = server.text("url")?;
        if servers.contains(&url) {
            return Err(Fault::new(server.line(), format!("the server `{url}` stands twice")));
        }
        servers.push(url);
    }
    let health = match balancer.get("healthCheck") {
        None => None,
        Some(_) => {
            let known = ["path", "port", "interval", "timeout", "scheme", "hostname", "method", "followRedirects"];
            let check = balancer.below("healthCheck", &known)?;
            let port = check.number("port")?.and_then(|n| u16::try_from(n).ok());
            let port = port.ok_or_else(|| Fault::new(check.line(), "a health check without its port"))?;
            Some((check.text("path")?, port))
        }
    };
    // Traefik's own default is to pass the header on.
    let pass_host_header = match balancer.get("passHostHeader").map(|n| &n.data) {
        None => true,
        Some(Data::Bool { value, .. }) => *value,
        Some(_) => return Err(Fault::new(balancer.line(), "`passHostHeader` is not a boolean")),
    };
    Ok(Service { servers, health, pass_host_header })
}

fn needed(text: &str) -> Read<Document> {
    yaml::one(text)?.ok_or_else(|| Fault::new(0, "the file holds no values"))
}
