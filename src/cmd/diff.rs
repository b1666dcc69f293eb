//! `sitec diff`: what a spec changes against the tree on disk, or what lies between two specs.

use camino::Utf8Path;
use serde_json::json;

use super::input::Project;
use super::report::exit_of;
use super::{Exit, Shell, Stop};
use crate::artifact::ArtifactTree;
use crate::cli::{DiffArgs, Format};
use crate::compile::{Compilation, Depth};
use crate::diag::{Findings, json as report_json};
use crate::review::flows::Traffic;
use crate::review::{ChangeKind, Review, Sealed, diff};
use crate::source::Sources;
use crate::write::{MANIFEST, immutable_changes, on_disk, seal};

pub fn run(args: &DiffArgs, shell: &Shell) -> Result<Exit, Stop> {
    let project = shell.project()?;
    let (first, exit) = compiled(&project, &args.spec, shell)?;
    let Some(tree) = &first.tree else { return Ok(exit) };
    let Some(spec) = &args.spec2 else {
        let old = on_disk(&tree.site, &args.out).map_err(|e| Stop::Usage(e.to_string()))?;
        if old.is_empty() {
            shell.tell(&format!("note: `{}` has no tree yet, so everything is new\n", args.out.join(&tree.site)));
        }
        return compare(&old, &first, tree, shell);
    };
    let (second, exit) = compiled(&project, spec, shell)?;
    let Some(newer) = &second.tree else { return Ok(exit) };
    compare(&seal(tree), &second, newer, shell)
}

/// Prints what lies between an old tree and a new one, after the values that must not change and do.
fn compare(old: &Sealed, compilation: &Compilation, tree: &ArtifactTree, shell: &Shell) -> Result<Exit, Stop> {
    let broken = old.get(MANIFEST).map(|manifest| immutable_changes(tree, manifest)).unwrap_or_default();
    shell.report(&broken, &compilation.sources);
    print(old, &seal(tree), &broken, &compilation.sources, shell)
}

/// A compilation without a tree comes with the reason, reported already.
fn compiled(project: &Project, spec: &Utf8Path, shell: &Shell) -> Result<(Compilation, Exit), Stop> {
    let mut compilation = project.compile(spec, Depth::Build)?;
    let exit = exit_of(&compilation.findings);
    if exit != Exit::Fine {
        shell.report(&compilation.findings, &compilation.sources);
        compilation.tree = None;
    }
    Ok((compilation, exit))
}

fn print(old: &Sealed, new: &Sealed, broken: &Findings, sources: &Sources, shell: &Shell) -> Result<Exit, Stop> {
    let review = diff(old, new);
    if shell.format == Format::Json {
        shell.print(&format!("{:#}\n", document(&review, broken, sources)))?;
    } else if !review.is_empty() {
        shell.print(&review.text(shell.color_on_stdout()))?;
    }
    Ok(if review.is_empty() && broken.is_empty() { Exit::Fine } else { Exit::Findings })
}

fn document(review: &Review, broken: &Findings, sources: &Sources) -> serde_json::Value {
    let files = review.groups.iter().flat_map(|(group, files)| files.iter().map(move |file| (group, file)));
    let files = files.map(|(group, file)| {
        let (change, diff) = match &file.kind {
            ChangeKind::New(_) => ("new", None),
            ChangeKind::Removed(_) => ("removed", None),
            ChangeKind::Changed(diff) => ("changed", Some(diff)),
        };
        json!({ "path": file.path, "of": group.title(), "change": change, "diff": diff, "attributes": file.attributes })
    });
    let traffic = |list: &[Traffic]| -> Vec<serde_json::Value> {
        let row = |t: &Traffic| {
            json!({
                "product": t.product, "from": t.from, "from_hosts": t.from_hosts, "to": t.to, "to_hosts": t.to_hosts,
                "transport": t.transport, "ports": t.ports, "application": t.application,
            })
        };
        list.iter().map(row).collect()
    };
    json!({
        "version": 1,
        "files": files.collect::<Vec<_>>(),
        "opens": traffic(&review.flows.opens),
        "closes": traffic(&review.flows.closes),
        "findings": report_json::value(broken, sources)["findings"],
    })
}
