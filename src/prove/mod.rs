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
pub mod sql;
mod stacks;
mod storage;
pub mod sums;
mod tables;
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
use crate::spread::both;
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
    let mut beside = Findings::default();
    let texts = &texts;
    both(
        threads,
        || traffic(ir, texts, &mut Bugs::new(findings)),
        || others(ir, tree, texts, said, &mut Bugs::new(&mut beside)),
    );
    findings.extend(beside);
}

/// What states permitted traffic, on most sites about as much as the rest.
fn traffic(ir: &Ir, texts: &Texts, bugs: &mut Bugs) {
    firewalls::nftables(ir, texts, bugs);
    firewalls::iptables(ir, texts, bugs);
    host_firewalls::firewalld(ir, texts, bugs);
    host_firewalls::windows(ir, texts, bugs);
    traffic::flow_table(ir, texts, bugs);
    tables::tables(ir, texts, bugs);
    preflight::scripts(ir, texts, bugs);
}

fn others(ir: &Ir, tree: &ArtifactTree, texts: &Texts, said: Said<'_>, bugs: &mut Bugs) {
    storage::exports(ir, texts, bugs);
    storage::fstab(ir, texts, bugs);
    storage::nfs_conf(ir, texts, bugs);
    hosts::units(ir, texts, bugs);
    hosts::kernel(ir, texts, bugs);
    hosts::modules(ir, texts, bugs);
    hosts::clocks(ir, texts, bugs);
    databases::scripts(ir, texts, bugs);
    databases::access(ir, texts, bugs);
    databases::poolers(ir, texts, bugs);
    images::mirrors(ir, texts, bugs);
    secrets::script(ir, texts, bugs);
    proxy::nginx(ir, texts, bugs);
    proxy::traefik(ir, texts, bugs);
    cluster::objects(ir, texts, bugs);
    policies::policies(ir, texts, bugs);
    cluster::values(ir, texts, bugs);
    stacks::declared(texts, bugs);
    stacks::networks(ir, texts, bugs);
    bodies::documents(ir, texts, bugs);
    documents::paths(ir, tree, texts, said, bugs);
    texts.others(bugs);
}

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
