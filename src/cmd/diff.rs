//! `sitec diff`: what a spec changes against the tree on disk, or what lies between two specs.

use camino::Utf8Path;
use serde_json::json;

use super::input::Project;
use super::report::exit_of;
use super::{Exit, Shell, Stop};
use crate::cli::{DiffArgs, Format};
use crate::compile::{Compilation, Depth};
use crate::review::flows::Traffic;
use crate::review::{ChangeKind, Review, Sealed, diff};
use crate::write::{on_disk, seal};

pub fn run(args: &DiffArgs, shell: &Shell) -> Result<Exit, Stop> {
    let project = shell.project()?;
    let (compilation, exit) = compiled(&project, &args.spec, shell)?;
    let Some(tree) = &compilation.tree else { return Ok(exit) };
    let (old, new) = match &args.spec2 {
        None => {
            let old = on_disk(&tree.site, &args.out).map_err(|e| Stop::Usage(e.to_string()))?;
            if old.is_empty() {
                shell.tell(&format!("note: `{}` has no tree yet, so everything is new\n", args.out.join(&tree.site)));
            }
            (old, seal(tree))
        }
        Some(spec) => {
            let (newer, exit) = compiled(&project, spec, shell)?;
            let Some(newer) = &newer.tree else { return Ok(exit) };
            (seal(tree), seal(newer))
        }
    };
    print(&old, &new, shell)
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

fn print(old: &Sealed, new: &Sealed, shell: &Shell) -> Result<Exit, Stop> {
    let review = diff(old, new);
    if shell.format == Format::Json {
        shell.print(&format!("{:#}\n", document(&review)))?;
    } else if !review.is_empty() {
        shell.print(&review.text(shell.color_on_stdout()))?;
    }
    Ok(if review.is_empty() { Exit::Fine } else { Exit::Findings })
}

fn document(review: &Review) -> serde_json::Value {
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
    })
}
