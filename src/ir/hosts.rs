//! What belongs on a host: directories, units, kernel parameters, files and blocks.

use ipnet::IpNet;
use std::sync::Arc;

use super::field::item;
use crate::value::{Str, Value};

item! {
    /// A directory with owner and mode. Identity: host, path.
    pub struct Directory {
        host: Str,
        path: Str,
        /// Numeric user id or user name.
        owner: Str,
        /// Symbolic or octal mode as chmod takes it; `None` leaves it alone.
        mode: Option<Str>,
    }
}

item! {
    /// One `Key=Value` line of a unit.
    pub struct UnitSetting {
        section: Str,
        key: Str,
        value: Str,
        /// Whether the line is the first of its section.
        opens: bool,
    }
}

item! {
    /// A systemd unit. Identity: host, name.
    pub struct Unit {
        host: Str,
        /// With its suffix: `rpc-rquotad.service`.
        name: Str,
        settings: Vec<Arc<UnitSetting>>,
    }
}

item! {
    /// A kernel parameter. Identity: host, key.
    pub struct KernelParameter {
        host: Str,
        key: Str,
        value: Value,
    }
}

item! {
    /// A kernel module that is loaded at every start. Identity: host, name.
    pub struct KernelModule {
        host: Str,
        name: Str,
    }
}

item! {
    /// How a host keeps its clock. Identity: host.
    pub struct Clock {
        host: Str,
        /// Names or addresses from which it takes the time.
        sources: Vec<Str>,
        /// Who may take the time from it; empty for a host that serves nobody.
        allow: Vec<IpNet>,
        /// The stratum that it claims while it has no source of its own, where that is wanted.
        stratum: Option<i64>,
        /// The file of the time service.
        target: Str,
        /// Whether that file is the whole configuration, not an addition to that of the package.
        whole: bool,
        /// Where the file is an addition: the file in which the package names time servers of its own.
        pools: Str,
        /// Where the whole configuration keeps the clock's drift.
        drift: Str,
        /// The service that reads it.
        service: Str,
    }
}
