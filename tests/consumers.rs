//! The real program judges every file of the golden trees that it would read at a site.
//!
//! Which program judges which file, and where it is stricter than the program because that is too lenient, stands at the
//! head of each judge. A missing program is a printed skip, or a failure with `SITEC_CONSUMERS=required`. Another folder
//! of trees than `golden` can be named with `SITEC_TREES`.

#[path = "consumers/checksums.rs"]
mod checksums;
#[path = "consumers/chrony.rs"]
mod chrony;
#[path = "consumers/compose.rs"]
mod compose;
#[path = "consumers/exports.rs"]
mod exports;
#[path = "consumers/firewalld.rs"]
mod firewalld;
#[path = "consumers/fstab.rs"]
mod fstab;
#[path = "consumers/iptables.rs"]
mod iptables;
#[path = "consumers/kubernetes.rs"]
mod kubernetes;
#[path = "consumers/nfs_conf.rs"]
mod nfs_conf;
#[path = "consumers/nft.rs"]
mod nft;
#[path = "consumers/nginx.rs"]
mod nginx;
#[path = "consumers/pgbouncer.rs"]
mod pgbouncer;
#[path = "consumers/postgresql.rs"]
mod postgresql;
#[path = "consumers/program.rs"]
mod program;
#[path = "consumers/server.rs"]
#[allow(dead_code)]
mod server;
#[path = "consumers/shell.rs"]
mod shell;
#[path = "consumers/sysctl.rs"]
mod sysctl;
#[path = "consumers/systemd.rs"]
mod systemd;
#[path = "consumers/tables.rs"]
mod tables;
#[path = "consumers/traefik.rs"]
mod traefik;
#[path = "consumers/trees.rs"]
mod trees;
#[path = "consumers/yaml.rs"]
mod yaml;
