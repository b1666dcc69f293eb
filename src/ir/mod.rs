//! What a site comes to: typed, sorted items, every field with its origins. Lowered from the site and its packs,
//! read by templates, compared with what was emitted.

mod field;
mod firewall;
mod hosts;
mod kubernetes;
mod network;
mod runbook;
mod storage;

pub use field::{F, IntoValue};
pub use firewall::{AddressSet, Firewall, Rule, RuleChain, Target, Transport};
pub use hosts::{Directory, KernelParameter, Unit, UnitSetting};
pub use kubernetes::{HelmRelease, HelmValue, Image, Namespace, Object, Secret, SecretUse, ValueLine, Volume};
pub use network::{Flow, Peers, Proxy, Scope, Upstream, short_net};
pub use runbook::{Blank, Failure, Question, Step, StepCommand, WaiverRecord};
pub use storage::{Export, Filesystem, NfsServer};

use std::sync::Arc;

use crate::value::{Tracked, Value};

/// All items of a site, each list sorted by its item's identity.
#[derive(Clone, Debug, Default)]
pub struct Ir {
    pub flows: Vec<Arc<Flow>>,
    pub rules: Vec<Arc<Rule>>,
    pub firewalls: Vec<Arc<Firewall>>,
    pub proxies: Vec<Arc<Proxy>>,
    pub exports: Vec<Arc<Export>>,
    pub nfs_servers: Vec<Arc<NfsServer>>,
    pub filesystems: Vec<Arc<Filesystem>>,
    pub directories: Vec<Arc<Directory>>,
    pub units: Vec<Arc<Unit>>,
    pub kernel: Vec<Arc<KernelParameter>>,
    pub namespaces: Vec<Arc<Namespace>>,
    pub volumes: Vec<Arc<Volume>>,
    pub objects: Vec<Arc<Object>>,
    pub releases: Vec<Arc<HelmRelease>>,
    pub images: Vec<Arc<Image>>,
    pub secrets: Vec<Arc<Secret>>,
    pub steps: Vec<Arc<Step>>,
    pub questions: Vec<Arc<Question>>,
    pub blanks: Vec<Arc<Blank>>,
    pub waivers: Vec<Arc<WaiverRecord>>,
    /// The answers without which there would be more questions.
    pub settled: crate::value::Origins,
}

impl Ir {
    /// The list of a kind as a value for templates and expressions; `None` for an unknown kind.
    pub fn list(&self, kind: &str) -> Option<Value> {
        fn value<T: crate::value::Record + 'static>(items: &[Arc<T>]) -> Value {
            let items = items.iter().map(|i| Tracked { value: Value::Record(i.clone()), origins: Default::default() });
            Value::list(items.collect())
        }
        Some(match kind {
            "flows" => value(&self.flows),
            "rules" => value(&self.rules),
            "firewalls" => value(&self.firewalls),
            "proxies" => value(&self.proxies),
            "exports" => value(&self.exports),
            "nfs_servers" => value(&self.nfs_servers),
            "filesystems" => value(&self.filesystems),
            "directories" => value(&self.directories),
            "units" => value(&self.units),
            "kernel" => value(&self.kernel),
            "namespaces" => value(&self.namespaces),
            "volumes" => value(&self.volumes),
            "objects" => value(&self.objects),
            "releases" => value(&self.releases),
            "images" => value(&self.images),
            "secrets" => value(&self.secrets),
            "steps" => value(&self.steps),
            "questions" => value(&self.questions),
            "blanks" => value(&self.blanks),
            "waivers" => value(&self.waivers),
            _ => return None,
        })
    }

    /// The fields of the items of a kind.
    pub fn fields_of(kind: &str) -> Option<&'static [&'static str]> {
        Some(match kind {
            "flows" => Flow::FIELDS,
            "rules" => Rule::FIELDS,
            "firewalls" => Firewall::FIELDS,
            "proxies" => Proxy::FIELDS,
            "exports" => Export::FIELDS,
            "nfs_servers" => NfsServer::FIELDS,
            "filesystems" => Filesystem::FIELDS,
            "directories" => Directory::FIELDS,
            "units" => Unit::FIELDS,
            "kernel" => KernelParameter::FIELDS,
            "namespaces" => Namespace::FIELDS,
            "volumes" => Volume::FIELDS,
            "objects" => Object::FIELDS,
            "releases" => HelmRelease::FIELDS,
            "images" => Image::FIELDS,
            "secrets" => Secret::FIELDS,
            "steps" => Step::FIELDS,
            "questions" => Question::FIELDS,
            "blanks" => Blank::FIELDS,
            "waivers" => WaiverRecord::FIELDS,
            _ => return None,
        })
    }

    /// The names that [`Ir::list`] knows.
    pub const KINDS: &'static [&'static str] = &[
        "flows",
        "rules",
        "firewalls",
        "proxies",
        "exports",
        "nfs_servers",
        "filesystems",
        "directories",
        "units",
        "kernel",
        "namespaces",
        "volumes",
        "objects",
        "releases",
        "images",
        "secrets",
        "steps",
        "questions",
        "blanks",
        "waivers",
    ];
}
