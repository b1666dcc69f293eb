//! Measurements of each pass and of the whole, on synthetic sites: `cargo bench`, or
//! `cargo bench -- parse --sample-count 20`.

mod synthetic;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use camino::Utf8Path;
use divan::{Bencher, black_box};
use sitec::artifact::ArtifactTree;
use sitec::compile::{Compilation, Depth, Inputs, PackFiles, compile};
use sitec::diag::Findings;
use sitec::emit::plan::plan;
use sitec::emit::{Emitting, Mode, Templates, emit};
use sitec::instance::{Instance, Run};
use sitec::ir::Ir;
use sitec::schema::Schema;
use sitec::source::{Role, Sources};
use sitec::{decode, lower, overlay, parse, prove, review, validate, write};

/// The allocator of the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

const HOSTS: [usize; 3] = [20, 200, 2000];

static PACKS: LazyLock<Vec<PackFiles>> = LazyLock::new(|| {
    let file = |name: &str, text: &str| (name.into(), text.into());
    vec![PackFiles {
        name: "synthetic".into(),
        dir: "benches/packs/synthetic".into(),
        files: vec![
            file("pack.toml", include_str!("packs/synthetic/pack.toml")),
            file("settings.schema.json", include_str!("packs/synthetic/settings.schema.json")),
        ],
    }]
});

fn run(spec: &str, depth: Depth) -> Compilation {
    let read = |_: &str| Ok(spec.as_bytes().to_vec());
    compile(&Inputs { entry: "site.yaml".to_string(), read: &read, packs: &PACKS, depth, threads: 0 })
}

/// A compilation that succeeded: a failed one would be measured as a fast one.
fn built(spec: &str, depth: Depth) -> Compilation {
    let compilation = run(spec, depth);
    let first = compilation.findings.iter().find(|d| d.level == sitec::diag::Level::Error).map(|d| &d.message);
    assert_eq!(first, None, "the synthetic site has an error");
    compilation
}

#[divan::bench(args = HOSTS)]
fn a_parse(bencher: Bencher, hosts: usize) {
    let text = synthetic::spec(hosts);
    bencher.bench(|| {
        let mut sources = Sources::default();
        let file = sources.add("site.yaml", text.as_str(), Role::Spec);
        parse::parse(&mut sources, file, &mut Findings::default())
    });
}

#[divan::bench(args = HOSTS)]
fn b_overlay(bencher: Bencher, hosts: usize) {
    let text = synthetic::spec(hosts);
    bencher.bench(|| {
        let mut sources = Sources::default();
        let file = sources.add("site.yaml", text.as_str(), Role::Spec);
        overlay::overlay(&mut sources, file, &mut |path| Err(path.to_string()), &mut Findings::default())
    });
}

#[divan::bench]
fn c_schema(bencher: Bencher) {
    let settings: serde_json::Value =
        serde_json::from_str(include_str!("packs/synthetic/settings.schema.json")).expect("JSON");
    bencher.bench(|| Schema::new(&[("s0000".into(), black_box(&settings))]));
}

#[divan::bench(args = HOSTS)]
fn d_validate(bencher: Bencher, hosts: usize) {
    let c = built(&synthetic::spec(hosts), Depth::Check);
    let (node, schema) = (c.spec.expect("a spec"), c.schema.expect("a schema"));
    bencher.bench(|| validate::validate(&node, &schema, &c.sources, &mut Findings::default()));
}

/// What every later pass is compared with: the text read, which looks for secrets in it, and validated, on one thread;
/// nothing else. `f_check` is to take at most 2.5 times as long.
#[divan::bench(args = HOSTS)]
fn d_parse_and_validate(bencher: Bencher, hosts: usize) {
    let text = synthetic::spec(hosts);
    let settings: serde_json::Value =
        serde_json::from_str(include_str!("packs/synthetic/settings.schema.json")).expect("JSON");
    bencher.bench(|| {
        let (mut sources, mut findings) = (Sources::default(), Findings::default());
        let file = parse::load(&mut sources, "site.yaml", text.as_bytes().to_vec(), Role::Spec, &mut findings);
        let file = file.expect("text");
        let node = overlay::overlay(&mut sources, file, &mut |path| Err(path.to_string()), &mut findings);
        let node = node.expect("a spec");
        let products = node.get("products").map(sitec::node::Node::entries).unwrap_or_default();
        let settings: Vec<_> = products.iter().map(|entry| (entry.key.clone(), &settings)).collect();
        let schema = Schema::new(&settings);
        black_box(validate::validate(&node, &schema, &sources, &mut findings));
    });
}

#[divan::bench(args = HOSTS)]
fn e_decode(bencher: Bencher, hosts: usize) {
    let c = built(&synthetic::spec(hosts), Depth::Check);
    let (node, schema) = (c.spec.expect("a spec"), c.schema.expect("a schema"));
    bencher.bench(|| decode::decode(&node, &schema, &Default::default(), 0, &mut Findings::default()));
}

/// Everything up to the last check: resolve and lower are what this has beyond the passes above.
#[divan::bench(args = HOSTS)]
fn f_check(bencher: Bencher, hosts: usize) {
    let text = synthetic::spec(hosts);
    bencher.bench(|| run(&text, Depth::Check));
}

/// Everything up to the proof: emit and prove are what this has beyond `check`.
#[divan::bench(args = HOSTS)]
fn g_build(bencher: Bencher, hosts: usize) {
    let text = synthetic::spec(hosts);
    bencher.bench(|| run(&text, Depth::Build));
}

#[divan::bench(args = HOSTS)]
fn h_prove(bencher: Bencher, hosts: usize) {
    let c = built(&synthetic::spec(hosts), Depth::Build);
    let (ir, tree) = (c.ir.expect("an Ir"), c.tree.expect("a tree"));
    bencher.bench(|| prove::prove(&ir, &tree, &mut Findings::default()));
}

#[divan::bench(args = HOSTS)]
fn i_seal(bencher: Bencher, hosts: usize) {
    let tree = built(&synthetic::spec(hosts), Depth::Build).tree.expect("a tree");
    bencher.bench(|| write::seal(&tree));
}

#[divan::bench(args = HOSTS, sample_count = 10)]
fn j_write_new(bencher: Bencher, hosts: usize) {
    let tree = built(&synthetic::spec(hosts), Depth::Build).tree.expect("a tree");
    bencher.with_inputs(|| tempfile::tempdir().expect("a temporary folder")).bench_refs(|folder| {
        let out = Utf8Path::from_path(folder.path()).expect("UTF-8");
        write::write(&tree, out, write::Options::default()).expect("written")
    });
}

#[divan::bench(args = HOSTS, sample_count = 10)]
fn k_write_unchanged(bencher: Bencher, hosts: usize) {
    let tree = built(&synthetic::spec(hosts), Depth::Build).tree.expect("a tree");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = Utf8Path::from_path(folder.path()).expect("UTF-8");
    write::write(&tree, out, write::Options::default()).expect("written");
    bencher.bench(|| write::write(&tree, out, write::Options::default()).expect("written"));
}

#[divan::bench(args = HOSTS, sample_count = 10)]
fn l_diff(bencher: Bencher, hosts: usize) {
    let sealed = |text: &str| write::seal(&built(text, Depth::Build).tree.expect("a tree"));
    let text = synthetic::spec(hosts);
    let (old, new): (BTreeMap<_, _>, BTreeMap<_, _>) =
        (sealed(&text), sealed(&text.replace("port: 8000", "port: 9000")));
    bencher.bench(|| review::diff(&old, &new).text(false));
}

/// Flows for each host of a site that consists of firewalls.
const FLOWS_OF_A_HOST: usize = 25;

/// Sites of firewalls, of 5,000 to 50,000 flows: everything up to the last check.
#[divan::bench(args = [200, 500, 1000, 2000], sample_count = 5)]
fn l_flows_check(bencher: Bencher, hosts: usize) {
    let text = synthetic::flows(hosts, hosts * FLOWS_OF_A_HOST);
    bencher.bench(|| run(&text, Depth::Check));
}

/// The same with the rulesets of all hosts, the tables, the scripts of questions, and the proof of it all.
#[divan::bench(args = [200, 500, 1000, 2000], sample_count = 5)]
fn m_flows_build(bencher: Bencher, hosts: usize) {
    let text = synthetic::flows(hosts, hosts * FLOWS_OF_A_HOST);
    bencher.bench(|| run(&text, Depth::Build));
}

/// Reading back the rulesets alone and comparing them.
#[divan::bench(args = [200, 500, 1000, 2000], sample_count = 5)]
fn n_flows_prove_rulesets(bencher: Bencher, hosts: usize) {
    let c = built(&synthetic::flows(hosts, hosts * FLOWS_OF_A_HOST), Depth::Build);
    let (whole, mut tree) = (c.ir.expect("an Ir"), c.tree.expect("a tree"));
    let ir = rulesets(&whole);
    tree.files.retain(|_, artifact| &*artifact.format == "nft");
    bencher.bench(|| prove::prove_for(0, &ir, &tree, &|_| false, &mut Findings::default()));
}

/// A site of firewalls that has been checked: what its rulesets are made of.
struct Firewalls(Compilation);

impl Firewalls {
    fn of(hosts: usize) -> Self {
        Self(built(&synthetic::flows(hosts, hosts * FLOWS_OF_A_HOST), Depth::Check))
    }

    /// The instances of the site: no product is in it.
    fn instances(&self) -> [Instance<'_>; 1] {
        let site = self.0.site.as_ref().expect("a site");
        [Instance::new("site".into(), &self.0.packs["base"], None, None, site, &mut Run::default())]
    }

    fn lowered(&self, instances: &[Instance]) -> Ir {
        let site = self.0.site.as_ref().expect("a site");
        lower::lower(instances, site, &self.0.sources, 0, true, &mut Run::default(), || ())
    }

    /// The rulesets of all hosts and nothing else.
    fn emitted(&self, instances: &[Instance], ir: &Ir) -> ArtifactTree {
        let site = self.0.site.as_ref().expect("a site");
        let value = lower::as_value(ir);
        let mut planned = plan(instances, &value, site, 0, &mut Run::default());
        planned.retain(|artifact| &*artifact.rule.format == "nft");
        let (mut sources, mut findings) = (self.0.sources.clone(), Findings::default());
        let rules = planned.iter().map(|artifact| artifact.rule);
        let templates = Templates::parse_for(instances[0].pack, rules, &mut sources, &mut findings);
        let emitting = Emitting {
            instances,
            templates: &[&templates],
            ir: &value,
            site,
            sources: &sources,
            mode: Mode::Plain,
            threads: 0,
        };
        emit(&planned, &emitting, &mut findings).tree
    }
}

/// The firewalls of an `Ir` alone.
fn rulesets(ir: &Ir) -> Ir {
    Ir { rules: ir.rules.clone(), firewalls: ir.firewalls.clone(), ..Ir::default() }
}

/// From the spec as it is resolved to the `Ir`: the rulesets of all hosts, the tables, and what hosts ask of others.
#[divan::bench(args = [200, 500, 1000, 2000], sample_count = 5)]
fn o_flows_lower(bencher: Bencher, hosts: usize) {
    let site = Firewalls::of(hosts);
    let instances = site.instances();
    bencher.bench(|| site.lowered(&instances));
}

/// Writing the rulesets of all hosts.
#[divan::bench(args = [200, 500, 1000, 2000], sample_count = 5)]
fn p_flows_emit_rulesets(bencher: Bencher, hosts: usize) {
    let site = Firewalls::of(hosts);
    let instances = site.instances();
    let ir = site.lowered(&instances);
    bencher.bench(|| site.emitted(&instances, &ir));
}

/// Lowering, writing the rulesets of all hosts, and proving them. At most three times what `floor` takes.
#[divan::bench(args = [200, 500, 1000, 2000], sample_count = 5)]
fn q_flows_rulesets(bencher: Bencher, hosts: usize) {
    let site = Firewalls::of(hosts);
    let instances = site.instances();
    bencher.bench(|| {
        let ir = site.lowered(&instances);
        let tree = site.emitted(&instances, &ir);
        let mut findings = Findings::default();
        prove::prove_for(0, &rulesets(&ir), &tree, &|_| false, &mut findings);
        assert!(tree.files.len() == hosts && findings.is_empty(), "rulesets that are not proven");
    });
}
