//! `sitec check --fix`: the safe replacements of all findings in, files put right and what was done to them out.

use std::fs;
use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;

use super::input::{Project, specs};
use super::report::{Reports, exit_of};
use super::{Exit, Shell, Stop};
use crate::cli::{CheckArgs, Format};
use crate::compile::Depth;
use crate::fix::{Done, Fixed};

pub fn run(args: &CheckArgs, project: &Project, shell: &Shell, mut reports: Reports<'_>) -> Result<Exit, Stop> {
    let for_people = matches!(shell.format, Format::Human | Format::Short);
    let mut exit = Exit::Fine;
    // One after the other: what two sites share is put right for both.
    for spec in specs(&args.spec)? {
        let Fixed { compilation, texts, done } = project.fix(&spec, Depth::Check)?;
        if args.dry_run {
            for (path, (old, new)) in texts.iter().filter(|(_, (old, new))| old != new) {
                let diff = similar::TextDiff::from_lines(old, new);
                let diff = diff.unified_diff().header(path, path).context_radius(1).to_string();
                if for_people {
                    shell.print(&diff)?;
                }
            }
        } else {
            for (path, (_, new)) in texts.iter().filter(|(_, (old, new))| old != new) {
                replace(Utf8Path::new(path), new)?;
            }
        }
        if for_people {
            shell.tell(&told(&spec, &done, args.dry_run));
        }
        let list: Vec<_> = done
            .iter()
            .map(|d| json!({ "file": d.file, "code": d.code, "line": d.line, "old": d.old, "new": d.new }))
            .collect();
        exit = exit.max(exit_of(&compilation.findings));
        let name = compilation.site_name();
        let more = json!({ "fixed": list });
        reports.add(&spec, name.as_deref(), &compilation.findings, &compilation.sources, more);
    }
    reports.end(args.spec.is_dir())?;
    Ok(exit)
}

/// One line for each replacement, and how many there were.
fn told(spec: &str, done: &[Done], dry: bool) -> String {
    let mut out = String::new();
    let shown = |text: &str| match text.trim() {
        "" if text.is_empty() => "nothing".to_owned(),
        "" => "white space".to_owned(),
        text => format!("`{}`", text.lines().next().unwrap_or_default().replace(char::is_control, "")),
    };
    for Done { file, line, column, code, old, new } in done {
        out.push_str(&format!("{file}:{line}:{column}: fixed[{code}]: {} becomes {}\n", shown(old), shown(new)));
    }
    let verb = if dry { "would be applied" } else { "applied" };
    out.push_str(&match done.len() {
        0 => format!("{spec}: nothing to fix\n"),
        1 => format!("{spec}: 1 fix {verb}\n"),
        n => format!("{spec}: {n} fixes {verb}\n"),
    });
    out.push('\n');
    out
}

/// Replaces a file by one rename, with the mode that it had. A symbolic link stays one.
fn replace(path: &Utf8Path, text: &str) -> Result<(), Stop> {
    let refuse = |e: std::io::Error| Stop::Usage(format!("cannot write `{path}`: {e}"));
    let target: Utf8PathBuf = path.canonicalize_utf8().map_err(refuse)?;
    let name = target.file_name().unwrap_or("spec");
    let beside = target.with_file_name(format!(".{name}.sitec-{}", std::process::id()));
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&beside)?;
        file.set_permissions(fs::metadata(&target)?.permissions())?;
        file.write_all(text.as_bytes())?;
        drop(file);
        fs::rename(&beside, &target)
    };
    write().map_err(|e| {
        // What was begun beside the file is of no use to anybody.
        let _ = fs::remove_file(&beside);
        refuse(e)
    })
}
