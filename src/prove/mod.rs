//! `ArtifactTree` → findings: reads back what was emitted and compares it with the `Ir`, item by item and both ways.
//!
//! One reader per format turns text into plain structs, strictly and without knowing how the text is written; the
//! rooms `storage`, `traffic`, … compare those with the items. A difference is a bug of the compiler.

mod bodies;
pub mod bugs;
pub mod chrony;
mod cluster;
pub mod csv;
mod databases;
mod documents;
pub mod exports;
pub mod fault;
pub mod firewalld;
mod firewalls;
pub mod flows;
pub mod fstab;
pub mod hcl;
mod host_firewalls;
mod hosts;
pub mod html;
mod images;
pub mod ini;
pub mod iptables;
pub mod kubernetes;
pub mod markdown;
pub mod nftables;
pub mod nginx;
pub mod packets;
pub mod pg_hba;
mod policies;
pub mod powershell;
mod preflight;
mod proxy;
mod reach;
mod secrets;
mod security_groups;
pub mod sql;
mod stacks;
mod storage;
pub mod sums;
mod tables;
pub mod terraform;
pub mod traefik;
mod traffic;
pub mod xml;
pub mod yaml;

pub use bugs::is_bug;
pub use reach::{Reach, reach};
pub use tables::word_of as table_of;

use std::collections::BTreeSet;

use crate::artifact::{Artifact, ArtifactTree};
use crate::diag::Findings;
use crate::emit::escape::Format;
use crate::ir::Ir;
use crate::spread::spread_all;
use bugs::{At, Bugs};
use fault::{Fault, Read};

/// Whether the spec itself says a word.
pub type Said<'a> = &'a (dyn Fn(&str) -> bool + Sync);

/// Proves a tree. Every difference is an error that says so; see [`is_bug`].
pub fn prove(ir: &Ir, tree: &ArtifactTree, findings: &mut Findings) {
    prove_for(1, ir, tree, &|_| false, findings);
}

/// Proves a tree as [`prove`] does, with as many threads as are allowed; 0 leaves it to the machine. The spec of a site
/// may say some words by itself: a document may name those that `said` knows, whatever they look like.
pub fn prove_for(threads: usize, ir: &Ir, tree: &ArtifactTree, said: Said<'_>, findings: &mut Findings) {
    let texts = Texts::all(ir, tree, &mut Bugs::new(findings));
    let proof = Proof { ir, tree, texts: &texts, said, threads };
    for found in spread_all(threads, &PROOFS, |prove| {
        let mut findings = Findings::default();
        prove(&proof, &mut Bugs::new(&mut findings));
        findings
    }) {
        findings.extend(found);
    }
}

/// What a proof reads.
struct Proof<'p> {
    ir: &'p Ir,
    tree: &'p ArtifactTree,
    texts: &'p Texts<'p>,
    said: Said<'p>,
    threads: usize,
}

/// The proofs, of which those that take long on large sites come first.
const PROOFS: [fn(&Proof, &mut Bugs); 29] = [
    |p, bugs| firewalls::nftables(p.ir, p.texts, p.threads, bugs),
    |p, bugs| traffic::flow_table(p.ir, p.texts, bugs),
    |p, bugs| documents::paths(p.ir, p.tree, p.texts, p.said, bugs),
    |p, bugs| preflight::scripts(p.ir, p.texts, bugs),
    |p, bugs| cluster::objects(p.ir, p.texts, bugs),
    |p, bugs| firewalls::iptables(p.ir, p.texts, bugs),
    |p, bugs| host_firewalls::firewalld(p.ir, p.texts, bugs),
    |p, bugs| host_firewalls::windows(p.ir, p.texts, bugs),
    |p, bugs| policies::policies(p.ir, p.texts, bugs),
    |p, bugs| security_groups::security_groups(p.ir, p.texts, bugs),
    |p, bugs| tables::tables(p.ir, p.texts, bugs),
    |p, bugs| storage::exports(p.ir, p.texts, bugs),
    |p, bugs| storage::fstab(p.ir, p.texts, bugs),
    |p, bugs| storage::nfs_conf(p.ir, p.texts, bugs),
    |p, bugs| hosts::units(p.ir, p.texts, bugs),
    |p, bugs| hosts::kernel(p.ir, p.texts, bugs),
    |p, bugs| hosts::modules(p.ir, p.texts, bugs),
    |p, bugs| hosts::clocks(p.ir, p.texts, bugs),
    |p, bugs| databases::scripts(p.ir, p.texts, bugs),
    |p, bugs| databases::access(p.ir, p.texts, bugs),
    |p, bugs| databases::poolers(p.ir, p.texts, bugs),
    |p, bugs| images::mirrors(p.ir, p.texts, bugs),
    |p, bugs| secrets::script(p.ir, p.texts, bugs),
    |p, bugs| proxy::nginx(p.ir, p.texts, bugs),
    |p, bugs| proxy::traefik(p.ir, p.texts, bugs),
    |p, bugs| cluster::values(p.ir, p.texts, bugs),
    |p, bugs| {
        stacks::declared(p.texts, bugs);
        stacks::networks(p.ir, p.texts, bugs);
    },
    |p, bugs| bodies::documents(p.ir, p.texts, bugs),
    |p, bugs| p.texts.others(bugs),
];

/// The emitted texts, in the order of their paths.
struct Texts<'a> {
    files: Vec<Emitted<'a>>,
}

/// One emitted text.
struct Emitted<'a> {
    path: &'a str,
    text: &'a str,
    artifact: &'a Artifact,
    format: Option<Format>,
    /// Whether a pack gives it as data; [`bodies`] reads it then.
    given: bool,
}

impl<'a> Texts<'a> {
    fn all(ir: &Ir, tree: &'a ArtifactTree, bugs: &mut Bugs) -> Self {
        let given: BTreeSet<&str> = ir.documents.iter().map(|d| &**d.path).collect();
        let mut files = Vec::with_capacity(tree.files.len());
        for (path, artifact) in &tree.files {
            match std::str::from_utf8(&artifact.bytes) {
                Ok(text) => {
                    let format = Format::from_name(&artifact.format);
                    files.push(Emitted { path, text, artifact, format, given: given.contains(path.as_str()) });
                }
                Err(_) => bugs.unreadable(path, &Fault::new(0, "it is not UTF-8")),
            }
        }
        Self { files }
    }

    /// The texts of a format, without those that packs give as data.
    fn of(&self, format: Format) -> impl Iterator<Item = &Emitted<'a>> {
        self.files.iter().filter(move |f| f.format == Some(format) && !f.given)
    }

    /// Reads what no item stands for, as strictly as its format allows.
    fn others(&self, bugs: &mut Bugs) {
        for file in self.files.iter().filter(|f| !f.given) {
            match file.format {
                Some(Format::Hcl) => drop(file.read(hcl::read, bugs)),
                Some(Format::Json) => drop(file.read(yaml::json, bugs)),
                Some(Format::Toml) => drop(file.read(yaml::toml, bugs)),
                Some(Format::PgHba) if !file.is_own() => drop(file.read(pg_hba::read, bugs)),
                Some(Format::Sql) if !file.is_own() => drop(file.read(sql::read, bugs)),
                Some(Format::Yaml) if !file.is_own() && !file.path.starts_with("clusters/") => {
                    drop(file.read(yaml::any_documents, bugs));
                }
                None => {
                    let what = format!("the format `{}` is not known", file.artifact.format);
                    bugs.unreadable(file.path, &Fault::new(0, what));
                }
                _ => {}
            }
        }
    }
}

impl<'a> Emitted<'a> {
    /// The host it belongs to; empty for none.
    fn host(&self) -> &'a str {
        self.artifact.host.as_deref().unwrap_or("")
    }

    /// Whether it is written by the templates that any site needs, and so from items alone.
    fn is_own(&self) -> bool {
        &*self.artifact.pack == "base"
    }

    fn at(&self, line: usize) -> At<'a> {
        At { path: self.path, line }
    }

    /// Reads the text, or reports why it cannot be read.
    fn read<T>(&self, reader: impl FnOnce(&'a str) -> Read<T>, bugs: &mut Bugs) -> Option<T> {
        reader(self.text).inspect_err(|fault| bugs.unreadable(self.path, fault)).ok()
    }
}

#[cfg(test)]
mod tests;
