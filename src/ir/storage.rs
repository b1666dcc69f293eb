//! NFS exports and the file systems below them.

use ipnet::IpNet;

use super::field::item;
use crate::value::Str;

item! {
    /// One exported directory. Identity: host, path.
    pub struct Export {
        host: Str,
        path: Str,
        /// Who may mount it; empty means everyone (`*`).
        clients: Vec<IpNet>,
        /// In the order in which they are written.
        options: Vec<Str>,
        /// The storage's name in the spec.
        storage: Str,
    }
}

item! {
    /// The NFS daemons of one server with their pinned ports. Identity: host.
    pub struct NfsServer {
        host: Str,
        mountd: Option<u16>,
        lockd: Option<u16>,
        statd: Option<u16>,
        rquotad: Option<u16>,
        /// Whether NFSv3 is served, whose side protocols need pinned ports.
        version3: bool,
    }
}

item! {
    /// One line of a host's fstab that the site changes. Identity: host, mount.
    pub struct Filesystem {
        host: Str,
        mount: Str,
        device: Str,
        fstype: Str,
        /// The options of the spec and those that products add, in that order, without repetition.
        options: Vec<Str>,
        dump: i64,
        pass: i64,
        /// Whether user and group quotas are enforced here.
        quota: bool,
    }
}
