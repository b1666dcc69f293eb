//! Claims of products on shared things, and values that cannot change once a product is installed.

use camino::Utf8PathBuf;
use sitec::compile::{Compilation, Depth, Inputs, PackFiles, compile};
use sitec::diag::{Diag, Level};
use sitec::write::{Options, WriteError, immutable_changes, seal, write};

/// A pack of its own for the test, with these lines in its manifest.
fn pack(name: &str, lines: &str) -> PackFiles {
    let manifest = format!(
        "[pack]\nname = \"{name}\"\ntitle = \"{name}\"\n[pack.document]\nid = \"d\"\ntitle = \"guide of {name}\"\n\
         [cites]\nstorage = \"Storage of {name}\"\n{lines}"
    );
    PackFiles {
        name: name.into(),
        dir: format!("packs/{name}").into(),
        files: vec![("pack.toml".into(), manifest.into())],
    }
}

const SITE: &str = "sitec: 1
site: { name: acme }
networks: { servers: { cidrs: [10.30.8.0/24], role: servers } }
hosts: { nfs1: { addresses: [10.30.8.31], os: ubuntu-22.04 } }
storage: { data: { server: nfs1, path: /srv/data } }
";

fn compiled(packs: &[PackFiles], more: &str) -> Compilation {
    let spec = format!("{SITE}{more}");
    let read = move |_: &str| Ok(spec.clone().into_bytes());
    compile(&Inputs { entry: "site.yaml".into(), read: &read, packs, depth: Depth::Build, threads: 1 })
}

fn found<'c>(compilation: &'c Compilation, code: &str) -> Vec<&'c Diag> {
    compilation.findings.iter().filter(|d| d.code == code).collect()
}

fn claim(judgement: &str) -> String {
    format!(
        "[[claims]]\nfor_each = {{ store = 'product.stores.data' }}\n\
         subject = '{{{{ \"export:\" ~ store.server.name ~ \":\" ~ store.path }}}}'\nkey = \"options\"\n{judgement}\n\
         cite = \"storage\"\n"
    )
}

const EXPORT: &str = "[[exports]]\nstorage = '{{ product.stores.data.name }}'\nclients = '{{ site.networks.servers }}'\n\
                      options = [\"rw\", \"sync\"]\ncite = \"storage\"\n";

const BOTH: &str = "products:
  one: { stores: { data: data } }
  two: { stores: { data: data } }
";

#[test]
fn unlike_claims_are_one_finding_with_both_citations() {
    let packs = [pack("one", &claim("value = \"sync\"")), pack("two", &claim("value = \"async\""))];
    let compilation = compiled(&packs, BOTH);
    let list = found(&compilation, "S0502");
    let [diag] = list.as_slice() else { panic!("{:?}", compilation.findings) };
    assert_eq!(
        diag.message,
        "`options` of `export:nfs1:/srv/data` cannot be as all want it: `one` wants `sync`, `two` wants `async`"
    );
    assert_eq!(diag.notes, ["`one`: guide of one: Storage of one", "`two`: guide of two: Storage of two"]);
    let files: Vec<_> = diag.secondary.iter().map(|l| compilation.sources.file(l.span.file).name.to_string()).collect();
    assert_eq!(files[files.len() - 2..], ["packs/one/pack.toml", "packs/two/pack.toml"]);
}

#[test]
fn equal_claims_agree() {
    let packs = [pack("one", &claim("value = \"sync\"")), pack("two", &claim("value = \"sync\""))];
    assert!(found(&compiled(&packs, BOTH), "S0502").is_empty());
}

#[test]
fn a_claim_forbids_what_another_one_wants() {
    let forbid = claim("forbid = [\"async\", \"root_squash\"]\nlevel = \"warning\"");
    let packs = [pack("one", &claim("value = [\"rw\", \"async\"]")), pack("two", &forbid)];
    let compilation = compiled(&packs, BOTH);
    let list = found(&compilation, "S0502");
    let [diag] = list.as_slice() else { panic!("{:?}", compilation.findings) };
    assert!(diag.message.starts_with("`one` wants `async`"), "{}", diag.message);
    assert_eq!(diag.level, Level::Error, "the graver of the two");
}

#[test]
fn a_claim_judges_the_export_that_another_product_makes() {
    let one = "products:\n  one: { stores: { data: data } }\n";
    for (judgement, says) in [("forbid = [\"sync\"]", "has `sync`"), ("value = [\"rw\", \"nohide\"]", "lacks `nohide`")]
    {
        let packs = [pack("one", &(EXPORT.to_string() + &claim(judgement)))];
        let compilation = compiled(&packs, one);
        let list = found(&compilation, "S0502");
        let [diag] = list.as_slice() else { panic!("{:?}", compilation.findings) };
        assert!(diag.message.contains(says), "{}", diag.message);
    }
    let packs = [pack("one", &(EXPORT.to_string() + &claim("value = \"rw\"\nforbid = [\"async\"]")))];
    assert!(found(&compiled(&packs, one), "S0502").is_empty());
}

#[test]
fn what_cannot_change_is_recorded_and_kept() {
    let fixed = "[[immutable]]\nat = \"product.namespace\"\nwhy = \"volumes carry its name\"\ncite = \"storage\"\n";
    let packs = [pack("one", fixed)];
    let spec = |namespace: &str| format!("products:\n  one: {{ namespace: {namespace} }}\n");
    let first = compiled(&packs, &spec("one-ns"));
    let tree = first.tree.as_ref().expect("a tree");
    assert_eq!(tree.immutable["/products/one/namespace"].value.as_deref(), Some("one-ns"));

    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = Utf8PathBuf::from_path_buf(folder.path().to_owned()).expect("UTF-8");
    write(tree, &out, Options::default()).expect("a first build");
    write(compiled(&packs, &spec("one-ns")).tree.as_ref().expect("a tree"), &out, Options::default())
        .expect("the same");
    for (namespace, change) in [("other", "changes from `one-ns` to `other`"), ("null", "is unanswered now")] {
        let later = compiled(&packs, &spec(namespace));
        let newer = later.tree.as_ref().expect("a tree");
        let Err(WriteError::Findings(findings)) = write(newer, &out, Options { force: true, threads: 1 }) else {
            panic!("written");
        };
        let diag = findings.iter().next().expect("a finding");
        assert!(diag.code == "S0906" && diag.message.contains(change), "{}", diag.message);
        assert_eq!(diag.notes, ["volumes carry its name", "guide of one: Storage of one"]);
        let place = diag.primary.as_ref().map(|l| later.sources.text(l.span).to_string());
        assert_eq!(place.as_deref(), Some(namespace));
        let manifest = &seal(tree)["MANIFEST.json"];
        assert_eq!(immutable_changes(newer, manifest).len(), 1, "a comparison says it too");
    }
}

#[test]
fn unlike_defaults_for_one_place_are_found() {
    let default = |value: &str| {
        format!("[defaults]\n\"storage.*.nfs_version\" = {{ value = \"{value}\", cite = \"storage\" }}\n")
    };
    let unlike = [pack("one", &default("3")), pack("two", &default("4.2"))];
    let compilation = compiled(&unlike, BOTH);
    let list = found(&compilation, "S0557");
    let [diag] = list.as_slice() else { panic!("{:?}", compilation.findings) };
    let message = "`one` and `two` have unlike defaults for `/storage/data/nfs_version`, which the spec leaves open";
    assert_eq!(diag.message, message);
    assert_eq!((diag.pointer.as_str(), diag.secondary.len()), ("/storage/data/nfs_version", 1));
    let alike = [pack("one", &default("3")), pack("two", &default("3"))];
    assert!(found(&compiled(&alike, BOTH), "S0557").is_empty());
    let said = format!("{}{BOTH}", "storage: { data: { server: nfs1, path: /srv/data, nfs_version: 3 } }\n");
    let spec = format!(
        "{}{said}",
        SITE.lines().filter(|l| !l.starts_with("storage")).map(|l| format!("{l}\n")).collect::<String>()
    );
    let read = move |_: &str| Ok(spec.clone().into_bytes());
    let inputs = Inputs { entry: "site.yaml".into(), read: &read, packs: &unlike, depth: Depth::Check, threads: 1 };
    assert!(found(&compile(&inputs), "S0557").is_empty(), "what the spec says is nobody's default");
}
