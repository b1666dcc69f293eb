//! A file's pack, path and format in; how far the proof goes for it out, as the coverage of a pack prints it.

use crate::emit::escape::Format;

/// How far the proof goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Read back and compared with these items, both ways.
    Items(&'static str),
    /// Every path of the tree that it names is in the tree.
    Paths,
    /// Read by a strict reader of its format, and no more.
    Parsed,
    /// Nothing reads it back; each value is written as one token of its format.
    Written,
}

impl Reach {
    /// As a document says it.
    pub fn text(self) -> String {
        match self {
            Reach::Items(items) => format!("proven against the {items}"),
            Reach::Paths => "each path of the tree that it names is in the tree".to_owned(),
            Reach::Parsed => "parsed strictly".to_owned(),
            Reach::Written => "not read back; each value is one token of the format".to_owned(),
        }
    }
}

/// What [`super::prove`] does with a file. `own` is a file that the pack of every site writes; the path may still have
/// `{{ }}` in it.
pub fn reach(own: bool, path: &str, format: Format) -> Reach {
    use Format::*;
    let below = |folder: &str| path.starts_with(folder);
    match format {
        Exports => Reach::Items("exports"),
        Fstab => Reach::Items("file systems"),
        Ini if path.contains("/nfs.conf") => Reach::Items("NFS servers"),
        Ini if path.contains("/sysctl.d/") => Reach::Items("kernel settings"),
        Yaml if below("clusters/") && own && path.ends_with("network-policies.yaml") => {
            Reach::Items("flows of components")
        }
        Yaml if below("clusters/") && own => Reach::Items("namespaces, volumes and objects"),
        _ if own && path == "{{ d.path }}" => Reach::Items("files that packs give as data"),
        Yaml if below("helm/") || own && path == "{{ release.path }}" => Reach::Items("values of the release"),
        Csv if path == "firewall/flows.csv" => Reach::Items("flows"),
        Markdown if path == "firewall/flows.md" => Reach::Items("flows"),
        Csv | Markdown | Html if own && below("firewall/") => Reach::Items("flows between zones"),
        Shell if own && path.ends_with("/preflight.sh") => Reach::Items("outgoing flows of the host"),
        Ini if own && path.contains("/modules-load.d/") => Reach::Items("kernel modules"),
        Ini if own && path.contains("/root/etc/chrony") => Reach::Items("clocks"),
        Ini if own && path.ends_with("/pgbouncer.ini") => Reach::Items("poolers"),
        Sql if own => Reach::Items("databases and roles"),
        PgHba if own => Reach::Items("access lines"),
        _ if own && path == "images/images.txt" => Reach::Items("images"),
        Shell if own && path == "images/mirror.sh" => Reach::Items("images"),
        Shell if own && path == "secrets.sh" => Reach::Items("uses of secrets"),
        Iptables if own => Reach::Items("firewall rules"),
        Nft if own => Reach::Items("firewall rules"),
        Html if own && path.contains("/etc/firewalld/") => Reach::Items("firewall rules"),
        Iptables if own => Reach::Items("firewall rules"),
        Powershell if own && path.ends_with("/firewall.ps1") => Reach::Items("firewall rules"),
        Systemd if own => Reach::Items("units"),
        Nginx if own => Reach::Items("proxies"),
        Yaml if own && path.contains("/etc/traefik/") => Reach::Items("proxies"),
        Shell if own && path.ends_with("/networks.sh") => Reach::Items("overlay networks"),
        Markdown => Reach::Paths,
        Json | Toml | Hcl | Compose | PgHba | Sql | Nginx => Reach::Parsed,
        Yaml if !own || below("clusters/") => Reach::Parsed,
        _ => Reach::Written,
    }
}
