//! A pack from a folder that is no part of the program, `tests/packs`: the program itself compiles it with `--packs`, and
//! what comes out is the tree in `tests/packs/golden`. `BLESS=1 cargo test --test outside_pack` accepts what is new.
//! Then the same pack and its site with one fault each, and the finding that each must get.

mod trees;

use std::fs;
use std::process::Command;

use sitec::compile::{Depth, Inputs, PackFiles, compile};
use sitec::review::diff;
use trees::{read_tree, root};

#[test]
fn the_program_compiles_a_pack_from_a_folder() {
    let packs = root().join("tests/packs");
    let out = tempfile::tempdir().expect("a folder");
    let built = Command::new(env!("CARGO_BIN_EXE_sitec"))
        .current_dir(root())
        .args(["build", "tests/packs/site.yaml", "--packs", "tests/packs", "--out"])
        .arg(out.path())
        .output()
        .expect("the program runs");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let folder = camino::Utf8PathBuf::from_path_buf(out.path().join("acme-outside")).expect("UTF-8");
    let (found, golden) = (read_tree(&folder), packs.join("golden"));
    if std::env::var_os("BLESS").is_some_and(|v| !v.is_empty() && v != "0") {
        let _ = fs::remove_dir_all(&golden);
        for (path, bytes) in &found {
            let path = golden.join(path);
            fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
            fs::write(path, bytes).expect("a golden file");
        }
    }
    let expected = read_tree(&golden);
    assert!(expected == found, "not as tests/packs/golden\n{}", diff(&expected, &found).text(false));
}

/// The findings of the pack and its site, each with a text in place of another one.
fn codes(changes: &[(&str, &str)]) -> Vec<String> {
    let folder = root().join("tests/packs");
    let read = |path: &str| fs::read_to_string(folder.join(path)).expect("readable");
    let (mut pack, mut site) = (read("kit/pack.toml"), read("site.yaml"));
    for (from, to) in changes {
        let (in_pack, in_site) = (pack.matches(from).count(), site.matches(from).count());
        assert_eq!(in_pack + in_site, 1, "`{from}` stands once");
        pack = pack.replace(from, to);
        site = site.replace(from, to);
    }
    let packs = [PackFiles { name: "kit".into(), dir: "kit".into(), files: vec![("pack.toml".into(), pack.into())] }];
    let read = |path: &str| if path == "site.yaml" { Ok(site.clone().into_bytes()) } else { Err("none".to_owned()) };
    let inputs = Inputs { entry: "site.yaml".to_owned(), read: &read, packs: &packs, depth: Depth::Build, threads: 1 };
    let compiled = compile(&inputs);
    compiled.findings.iter().map(|d| format!("{} {}", d.code, d.message)).collect()
}

/// One finding, which begins so.
fn gives(changes: &[(&str, &str)], finding: &str) {
    let found = codes(changes);
    assert!(found.len() == 1 && found[0].starts_with(finding), "{changes:?} gives {found:#?}, not {finding}");
}

#[test]
fn the_pack_as_it_is_has_no_findings() {
    assert_eq!(codes(&[]), [""; 0]);
}

#[test]
fn references_are_declared() {
    gives(&[("\"block variable host\"", "\"block variable hots\"")], "S0580 `terraform/main.tf` line ");
    gives(&[("ref = \"kubernetes_namespace.kit\" }", "ref = \"kubernetes_namespace.kot\" }")], "S0580 ");
    gives(&[("ref = \"kubernetes_namespace.kit\" }", "ref = \"kubernetes namespace\" }")], "S0730 ");
}

#[test]
fn stacks_name_what_there_is() {
    gives(&[("networks = [\"kit-public\", \"inner\"]", "networks = [\"kit-public\", \"iner\"]")], "S0581 ");
    gives(&[("secrets = [\"db_password\"]", "secrets = [\"password\"]")], "S0581 ");
    gives(&[("\"data:/data\"", "\"dato:/data\"")], "S0581 ");
    gives(&[("ports = [\"8080:80\"]", "ports = [\"8080:80/tpc\"]")], "S0581 ");
    gives(
        &[("networks.kit-public.external = true", "networks.kit-public = { external = true, name = \"other\" }")],
        "S0582 ",
    );
    let secrets = "secrets.more.external = true\nsecrets.db_password.external";
    gives(&[("secrets.db_password.external", secrets)], "S0582 stack `front` takes the secret `more`");
}

#[test]
fn published_ports_are_reached_and_apart() {
    gives(&[("ports = [\"8080:80\"]", "ports = [\"8081:80\"]")], "S0583 ");
    gives(&[("ports = [\"8080:80\"]", "ports = [\"8080:80\", { published = 8080, target = 81 }]")], "S0530 ");
}

#[test]
fn subnets_of_packs_are_apart_from_the_site() {
    let overlay = "cluster = '{{ c.name }}'\nname = '{{ name }}'\n";
    let with = |subnet: &str| format!("{overlay}subnet = '{subnet}'\n");
    gives(
        &[(overlay, &with("{{ \"10.30.8.0/25\" if name == \"kit-public\" else \"10.128.4.0/24\" }}"))],
        "S0406 the overlay network `kit-public`",
    );
}

#[test]
fn objects_have_words_and_quantities_that_are_known() {
    gives(&[("pathType = \"Prefix\"", "pathType = \"Perfix\"")], "S0584 the Ingress `kit`: `Perfix` is no `pathType`");
}

#[test]
fn secrets_have_forms_that_fit() {
    let found = codes(&[("form = \"swarm\"", "form = \"swarn\"")]);
    assert!(found.iter().any(|f| f.starts_with("S0611 a Secret has no form `swarn`")), "{found:?}");
    gives(&[("encoding = \"url\"", "encoding = \"uri\"")], "S0611 ");
}

#[test]
fn an_open_part_withholds_the_whole_file() {
    let found = codes(&[(
        "address = '{{ host.addresses|first }}'",
        "address = '{{ host.fqdn }}', memory = '{{ host.memory }}'",
    )]);
    assert!(found.iter().any(|f| f.starts_with("S1001")), "{found:?}");
}
