//! What belongs on a host: directories, units, kernel parameters, files and blocks.

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
