//! The kinds of `Ir` items that a pack can declare, with the fields that each takes.

/// One kind.
#[derive(Debug, PartialEq)]
pub struct Kind {
    /// The key in `pack.toml`, also the name of the list in the `Ir`.
    pub name: &'static str,
    pub required: &'static [&'static str],
    pub optional: &'static [&'static str],
}

impl Kind {
    /// All field names, required ones first.
    pub fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.required.iter().chain(self.optional).copied()
    }

    /// Whether a field is a command that somebody pastes into a shell: each value in it is quoted for that.
    pub fn is_command(&self, field: &str) -> bool {
        matches!((self.name, field), ("documents" | "stacks", "apply" | "check"))
    }
}

/// Every kind, in the order in which `packs show` prints them.
pub const KINDS: &[Kind] = &[
    Kind { name: "namespaces", required: &["cluster", "name"], optional: &["labels"] },
    Kind { name: "exports", required: &["storage"], optional: &["options", "clients", "host", "path"] },
    Kind { name: "directories", required: &["host", "path", "owner"], optional: &["mode"] },
    Kind { name: "filesystems", required: &["host", "mount"], optional: &["add_options", "quota"] },
    Kind { name: "nfs_servers", required: &["host"], optional: &["mountd", "lockd", "statd", "rquotad", "version3"] },
    Kind { name: "units", required: &["host", "name", "settings"], optional: &[] },
    Kind { name: "probes", required: &["host", "id", "says", "run"], optional: &["args", "fails"] },
    Kind { name: "kernel", required: &["host", "key", "value"], optional: &[] },
    Kind { name: "modules", required: &["host", "name"], optional: &[] },
    Kind {
        name: "clocks",
        required: &["host", "servers", "target", "service"],
        optional: &["upstream", "allow", "pools", "drift"],
    },
    Kind {
        name: "databases",
        required: &["server", "name", "owner"],
        optional: &["encoding", "locale", "extensions", "schemas", "grants"],
    },
    Kind {
        name: "roles",
        required: &["server", "name"],
        optional: &["login", "connection_limit", "member_of", "secret"],
    },
    Kind { name: "access", required: &["server", "database", "user", "clients"], optional: &["method"] },
    Kind {
        name: "poolers",
        required: &["server", "databases", "users"],
        optional: &["mode", "max_client_connections", "pool_size"],
    },
    Kind {
        name: "volumes",
        required: &["cluster", "namespace", "storage", "name", "claim"],
        optional: &["server", "path", "mount_options", "size", "access", "class"],
    },
    Kind {
        name: "objects",
        required: &["cluster", "api_version", "kind", "name"],
        optional: &["namespace", "labels", "annotations", "body"],
    },
    Kind {
        name: "documents",
        required: &["path", "format", "body"],
        optional: &["part", "title", "placement", "host", "target", "owner", "mode", "apply", "check"],
    },
    Kind {
        name: "overlays",
        required: &["cluster", "name"],
        optional: &["driver", "attachable", "encrypted", "subnet", "gateway", "options", "labels"],
    },
    Kind { name: "stacks", required: &["cluster", "name", "body"], optional: &["path", "title", "apply", "check"] },
    Kind {
        name: "releases",
        required: &["name", "cluster", "namespace", "chart"],
        optional: &["id", "by", "path", "api_version", "body"],
    },
    Kind { name: "chart_values", required: &[], optional: &["release", "key", "slot", "near", "ask", "value"] },
    Kind { name: "images", required: &["source", "reference"], optional: &["tag", "digest", "architectures", "nodes"] },
    Kind {
        name: "secrets",
        required: &["name", "place"],
        optional: &[
            "key",
            "host",
            "file",
            "owner",
            "mode",
            "cluster",
            "namespace",
            "object",
            "form",
            "certificate",
            "server",
            "user",
            "sealed",
            "controller",
            "controller_namespace",
            "before",
            "after",
            "encoding",
        ],
    },
    Kind {
        name: "proxies",
        required: &["host", "kind", "server_name", "upstreams", "upstream_port"],
        optional: &[
            "port",
            "health_port",
            "health_path",
            "body",
            "buffer",
            "websocket",
            "certificate_file",
            "key_file",
        ],
    },
];

/// Finds a kind by its key.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.name == name)
}
