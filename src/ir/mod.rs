//! What a site comes to: typed, sorted items, every field with its origins. Lowered from the site and its packs,
//! read by templates, compared with what was emitted.

mod databases;
mod documents;
mod field;
mod firewall;
mod hosts;
mod kubernetes;
mod nets;
mod network;
mod preflight;
mod runbook;
mod security_group;
mod storage;
mod swarm;
mod tables;

pub use databases::{Access, Database, DatabaseGrant, DatabaseServer, PooledDatabase, Pooler, Rights, Role};
pub use documents::{Document, DocumentPart, Term, TextLine, block_of, is_identifier, is_traversal};
pub use field::{F, IntoValue};
pub use firewall::{AddressSet, Firewall, Rule, RuleChain, Target, Transport};
pub use hosts::{Clock, Directory, KernelModule, KernelParameter, Unit, UnitSetting};
pub use kubernetes::{
    HelmRelease, HelmValue, Image, Label, Mirror, Namespace, NetworkPolicy, Object, PodPort, PolicyPort, PolicyRule,
    Secret, SecretMixture, SecretObject, SecretUse, ValueLine, Volume,
};
pub use nets::{Nets, Ranges};
pub use network::{Flow, Peers, Proxy, Scope, Upstream, short_net};
pub use preflight::{HostCheck, PortCheck, Preflight, Probe, Try};
pub use runbook::{Blank, Contradiction, Failure, Question, Step, StepCommand, WaiverRecord};
pub use security_group::{SecurityGroup, SecurityRule};
pub use storage::{Export, Filesystem, NfsServer};
pub use swarm::{Overlay, Stack};
pub use tables::{Exposure, FlowTable, HostFlows, MatrixRow, Zone, ZoneFlow, ZonePair};

use std::sync::Arc;

use crate::value::{Tracked, Value};

/// All items of a site, each list sorted by its item's identity.
#[derive(Clone, Debug, Default)]
pub struct Ir {
    pub flows: Vec<Arc<Flow>>,
    pub flow_tables: Vec<Arc<FlowTable>>,
    pub zones: Vec<Arc<Zone>>,
    pub zone_flows: Vec<Arc<ZoneFlow>>,
    pub zone_pairs: Vec<Arc<ZonePair>>,
    pub matrix: Vec<Arc<MatrixRow>>,
    pub host_flows: Vec<Arc<HostFlows>>,
    pub rules: Vec<Arc<Rule>>,
    pub firewalls: Vec<Arc<Firewall>>,
    pub security_groups: Vec<Arc<SecurityGroup>>,
    pub proxies: Vec<Arc<Proxy>>,
    pub exports: Vec<Arc<Export>>,
    pub nfs_servers: Vec<Arc<NfsServer>>,
    pub filesystems: Vec<Arc<Filesystem>>,
    pub directories: Vec<Arc<Directory>>,
    pub units: Vec<Arc<Unit>>,
    pub kernel: Vec<Arc<KernelParameter>>,
    pub modules: Vec<Arc<KernelModule>>,
    pub clocks: Vec<Arc<Clock>>,
    pub database_servers: Vec<Arc<DatabaseServer>>,
    pub poolers: Vec<Arc<Pooler>>,
    pub namespaces: Vec<Arc<Namespace>>,
    pub volumes: Vec<Arc<Volume>>,
    pub objects: Vec<Arc<Object>>,
    pub documents: Vec<Arc<Document>>,
    pub network_policies: Vec<Arc<NetworkPolicy>>,
    pub overlays: Vec<Arc<Overlay>>,
    pub stacks: Vec<Arc<Stack>>,
    pub releases: Vec<Arc<HelmRelease>>,
    pub images: Vec<Arc<Image>>,
    pub mirrors: Vec<Arc<Mirror>>,
    pub secrets: Vec<Arc<Secret>>,
    pub secret_objects: Vec<Arc<SecretObject>>,
    pub probes: Vec<Arc<Probe>>,
    pub preflights: Vec<Arc<Preflight>>,
    pub steps: Vec<Arc<Step>>,
    pub questions: Vec<Arc<Question>>,
    pub blanks: Vec<Arc<Blank>>,
    pub waivers: Vec<Arc<WaiverRecord>>,
    pub contradictions: Vec<Arc<Contradiction>>,
    /// What decides on whether there are rulesets of hosts.
    pub firewalls_read: crate::value::Origins,
    /// What decides on whether there are security groups.
    pub groups_read: crate::value::Origins,
    /// What decides on whether there are NetworkPolicies.
    pub policies_read: crate::value::Origins,
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
            "flow_tables" => value(&self.flow_tables),
            "zones" => value(&self.zones),
            "zone_flows" => value(&self.zone_flows),
            "zone_pairs" => value(&self.zone_pairs),
            "matrix" => value(&self.matrix),
            "host_flows" => value(&self.host_flows),
            "rules" => value(&self.rules),
            "firewalls" => value(&self.firewalls),
            "security_groups" => value(&self.security_groups),
            "proxies" => value(&self.proxies),
            "exports" => value(&self.exports),
            "nfs_servers" => value(&self.nfs_servers),
            "filesystems" => value(&self.filesystems),
            "directories" => value(&self.directories),
            "units" => value(&self.units),
            "kernel" => value(&self.kernel),
            "modules" => value(&self.modules),
            "clocks" => value(&self.clocks),
            "database_servers" => value(&self.database_servers),
            "poolers" => value(&self.poolers),
            "namespaces" => value(&self.namespaces),
            "volumes" => value(&self.volumes),
            "objects" => value(&self.objects),
            "documents" => value(&self.documents),
            "network_policies" => value(&self.network_policies),
            "overlays" => value(&self.overlays),
            "stacks" => value(&self.stacks),
            "releases" => value(&self.releases),
            "images" => value(&self.images),
            "mirrors" => value(&self.mirrors),
            "secrets" => value(&self.secrets),
            "secret_objects" => value(&self.secret_objects),
            "probes" => value(&self.probes),
            "preflights" => value(&self.preflights),
            "steps" => value(&self.steps),
            "questions" => value(&self.questions),
            "blanks" => value(&self.blanks),
            "waivers" => value(&self.waivers),
            "contradictions" => value(&self.contradictions),
            _ => return None,
        })
    }

    /// The fields of the items of a kind.
    pub fn fields_of(kind: &str) -> Option<&'static [&'static str]> {
        Some(match kind {
            "flows" => Flow::FIELDS,
            "flow_tables" => FlowTable::FIELDS,
            "zones" => Zone::FIELDS,
            "zone_flows" => ZoneFlow::FIELDS,
            "zone_pairs" => ZonePair::FIELDS,
            "matrix" => MatrixRow::FIELDS,
            "host_flows" => HostFlows::FIELDS,
            "rules" => Rule::FIELDS,
            "firewalls" => Firewall::FIELDS,
            "security_groups" => SecurityGroup::FIELDS,
            "proxies" => Proxy::FIELDS,
            "exports" => Export::FIELDS,
            "nfs_servers" => NfsServer::FIELDS,
            "filesystems" => Filesystem::FIELDS,
            "directories" => Directory::FIELDS,
            "units" => Unit::FIELDS,
            "kernel" => KernelParameter::FIELDS,
            "modules" => KernelModule::FIELDS,
            "clocks" => Clock::FIELDS,
            "database_servers" => DatabaseServer::FIELDS,
            "poolers" => Pooler::FIELDS,
            "namespaces" => Namespace::FIELDS,
            "volumes" => Volume::FIELDS,
            "objects" => Object::FIELDS,
            "documents" => Document::FIELDS,
            "network_policies" => NetworkPolicy::FIELDS,
            "overlays" => Overlay::FIELDS,
            "stacks" => Stack::FIELDS,
            "releases" => HelmRelease::FIELDS,
            "images" => Image::FIELDS,
            "mirrors" => Mirror::FIELDS,
            "secrets" => Secret::FIELDS,
            "secret_objects" => SecretObject::FIELDS,
            "probes" => Probe::FIELDS,
            "preflights" => Preflight::FIELDS,
            "steps" => Step::FIELDS,
            "questions" => Question::FIELDS,
            "blanks" => Blank::FIELDS,
            "waivers" => WaiverRecord::FIELDS,
            "contradictions" => Contradiction::FIELDS,
            _ => return None,
        })
    }

    /// The names that [`Ir::list`] knows.
    pub const KINDS: &'static [&'static str] = &[
        "flows",
        "flow_tables",
        "zones",
        "zone_flows",
        "zone_pairs",
        "matrix",
        "host_flows",
        "rules",
        "firewalls",
        "security_groups",
        "proxies",
        "exports",
        "nfs_servers",
        "filesystems",
        "directories",
        "units",
        "kernel",
        "modules",
        "clocks",
        "database_servers",
        "poolers",
        "namespaces",
        "volumes",
        "objects",
        "documents",
        "network_policies",
        "overlays",
        "stacks",
        "releases",
        "images",
        "mirrors",
        "secrets",
        "secret_objects",
        "probes",
        "preflights",
        "steps",
        "questions",
        "blanks",
        "waivers",
        "contradictions",
    ];
}
