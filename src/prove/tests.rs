//! Seeds bugs into emitted texts and asserts that the proof notices every one.

use std::sync::Arc;

use super::*;
use crate::artifact::Placement;
use crate::ir::*;
use crate::value::{Origins, Ports, Str};

mod clusters;
mod firewalls;
mod flows;
mod hosts;
mod proxies;
mod storage;

fn f<T>(value: T) -> F<T> {
    F::new(value, Origins::None)
}

fn s(text: &str) -> F<Str> {
    f(text.into())
}

fn nets(list: &[&str]) -> Vec<ipnet::IpNet> {
    list.iter().map(|n| n.parse().expect("a network")).collect()
}

fn strs(list: &[&str]) -> Vec<Str> {
    list.iter().map(|&n| n.into()).collect()
}

fn tree(files: &[(&str, &str, Option<&str>, &str)]) -> ArtifactTree {
    let mut tree = ArtifactTree { site: "acme".into(), ..ArtifactTree::default() };
    for &(path, format, host, text) in files {
        let artifact = Artifact {
            format: format.into(),
            bytes: text.into(),
            placement: Placement::Carry,
            host: host.map(Str::from),
            target: None,
            owner: None,
            mode: None,
            apply: None,
            check: None,
            pack: "base".into(),
        };
        tree.files.insert(path.to_owned(), artifact);
    }
    tree
}

fn messages(ir: &Ir, tree: &ArtifactTree) -> Vec<String> {
    let mut findings = Findings::default();
    prove(ir, tree, &mut findings);
    assert!(findings.iter().all(is_bug));
    findings.iter().map(|d| d.message.clone()).collect()
}

/// Asserts that a tree is proven, and that no mutation `path: from → to` of it is.
fn assert_mutations_are_caught(ir: &Ir, good: &ArtifactTree, mutations: &[(&str, &str, &str)]) {
    assert_eq!(messages(ir, good), [""; 0]);
    for &(path, from, to) in mutations {
        let mut tree = good.clone();
        let artifact = tree.files.get_mut(path).expect(path);
        let text = String::from_utf8(artifact.bytes.clone()).expect("text");
        assert!(text.contains(from), "`{from}` is not in {path}");
        artifact.bytes = text.replacen(from, to, 1).into_bytes();
        let messages = messages(ir, &tree);
        assert!(!messages.is_empty(), "`{from}` → `{to}` in {path} goes unnoticed");
    }
    for path in good.files.keys().filter(|p| mutations.iter().any(|m| m.0 == p.as_str())) {
        let mut tree = good.clone();
        let artifact = tree.files.remove(path).expect("the file");
        let last_of_kind = !tree.files.values().any(|a| a.format == artifact.format);
        assert!(last_of_kind || !messages(ir, &tree).is_empty(), "without {path} all seems well");
        let mut tree = good.clone();
        let artifact = tree.files.get_mut(path).expect("the file");
        artifact.bytes.push(0xff);
        assert!(!messages(ir, &tree).is_empty(), "a broken byte in {path} goes unnoticed");
    }
}
