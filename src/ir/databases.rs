//! Database servers with the roles, databases and access lines that products need there, and the poolers in front.

use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

use super::field::{item, words};
use crate::value::Str;

words! {
    /// What a role may do in a schema that belongs to another one.
    pub enum Rights {
        /// See what is there.
        #[default]
        Read = "read",
        /// See and change the rows.
        Write = "write",
        /// Make and remove tables as well.
        All = "all",
    }
}

item! {
    /// A role of a server. Identity: server, name.
    pub struct Role {
        server: Str,
        name: Str,
        product: Str,
        /// Whether it may sign in.
        login: bool,
        connection_limit: Option<i64>,
        /// The roles that it is a member of.
        member_of: Vec<Str>,
        /// The secret that holds its password; `None` for a role without one.
        secret: Option<Str>,
        /// Citation or reason.
        why: Str,
    }
}

item! {
    /// What another role than the owner may do in a schema of a database.
    pub struct DatabaseGrant {
        role: Str,
        schema: Str,
        rights: Rights,
    }
}

item! {
    /// A database. Identity: server, name.
    pub struct Database {
        server: Str,
        name: Str,
        /// Those that use it; the first one declares it.
        products: Vec<Str>,
        owner: Str,
        encoding: Str,
        /// Collation and character class; `None` leaves the server's.
        locale: Option<Str>,
        extensions: Vec<Str>,
        /// Schemas beside `public`, all of the owner's.
        schemas: Vec<Str>,
        grants: Vec<Arc<DatabaseGrant>>,
        /// Citation or reason.
        why: Str,
    }
}

item! {
    /// Who may sign in as whom from where. Identity: server, database, user, method.
    pub struct Access {
        server: Str,
        database: Str,
        user: Str,
        /// `host`, or `hostssl` where the server encrypts.
        kind: Str,
        /// Sorted, merged.
        nets: Vec<IpNet>,
        method: Str,
        /// Citations or reasons, one for each of those who need it.
        why: Vec<Str>,
    }
}

item! {
    /// A database server with all that products need there. Identity: server.
    pub struct DatabaseServer {
        server: Str,
        engine: Str,
        /// The host of the site that it runs on; `None` for a server that somebody else runs.
        host: Option<Str>,
        /// The name or address under which it is reached.
        address: Str,
        port: Option<i64>,
        roles: Vec<Arc<Role>>,
        databases: Vec<Arc<Database>>,
        access: Vec<Arc<Access>>,
    }
}

item! {
    /// A database that a pooler passes on.
    pub struct PooledDatabase {
        name: Str,
        /// The server behind, as the pooler reaches it.
        address: Str,
        port: i64,
    }
}

item! {
    /// A connection pooler. Identity: server, host.
    pub struct Pooler {
        /// The database server that it stands in front of.
        server: Str,
        host: Str,
        kind: Str,
        addresses: Vec<IpAddr>,
        port: i64,
        /// `session`, `transaction` or `statement`.
        mode: Str,
        max_client_connections: Option<i64>,
        pool_size: Option<i64>,
        /// Whether the server behind speaks TLS.
        tls: bool,
        databases: Vec<Arc<PooledDatabase>>,
        /// The roles that sign in through it.
        users: Vec<Str>,
        /// Whether the server's list of passwords can be copied, which a managed one does not allow.
        copies_passwords: bool,
    }
}
