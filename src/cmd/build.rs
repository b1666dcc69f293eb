//! `sitec build`: compiles specs and writes their trees, or tells whether what is on disk is up to date.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::report::{Reports, exit_of};
use super::{Exit, Shell, Stop};
use crate::cli::{BuildArgs, Format};
use crate::compile::{Compilation, Depth};
use crate::diag::{Findings, Level};
use crate::write::{self, Options, Report, WriteError};

pub fn run(args: &BuildArgs, shell: &Shell) -> Result<Exit, Stop> {
    let mut project = shell.project()?;
    project.levels = args.strictness.levels(&project)?;
    let mut reports = Reports::begin(shell, &project)?;
    let mut compilations = project.compile_all(&args.spec, Depth::Build)?;
    refuse_equal_names(&compilations)?;
    let for_people = matches!(shell.format, Format::Human | Format::Short);
    let mut exit = Exit::Fine;
    for (spec, compilation) in &mut compilations {
        let result = finish(args, shell, compilation);
        exit = exit.max(exit_of(&compilation.findings));
        let site = compilation.tree.as_ref().map(|tree| tree.site.as_str());
        let output = result.as_ref().ok().and_then(Option::as_ref).map_or(Json::Null, output_json);
        reports.add(spec, site, &compilation.findings, &compilation.sources, json!({ "output": output }));
        match result {
            Ok(Some(report)) => {
                if for_people {
                    shell.print(&summary(&report, args.check))?;
                    shell.tell(&waiting(&report, &compilation.findings));
                    tell_of_foreign(&report, shell);
                }
            }
            Ok(None) if exit_of(&compilation.findings) != Exit::Fine => {
                let folder = site.map(|site| args.out.join(site).to_string());
                let what = if args.check { "not checked" } else { "nothing was written" };
                shell.tell(&format!("{}: {what}\n", folder.as_deref().unwrap_or(spec)));
            }
            Ok(None) => {}
            Err(message) => {
                shell.complain(&message);
                exit = exit.max(Exit::Usage);
            }
        }
    }
    reports.end(args.spec.is_dir())?;
    if exit == Exit::Bug {
        super::report_bug("what was emitted does not say what was meant; see the findings above");
    }
    // The process ends here, and its memory goes as a whole.
    std::mem::forget(compilations);
    Ok(exit)
}

/// Writes or checks the tree of a sound compilation; findings about the disk join the others. The message of an error
/// says what the system refused.
fn finish(args: &BuildArgs, shell: &Shell, compilation: &mut Compilation) -> Result<Option<Report>, String> {
    let Some(tree) = compilation.tree.as_ref().filter(|_| exit_of(&compilation.findings) == Exit::Fine) else {
        return Ok(None);
    };
    let (report, findings) = if args.check {
        let staleness = write::check(tree, &args.out, shell.threads).map_err(|e| e.to_string())?;
        let findings = staleness.findings();
        let unchanged = tree.files.len() + 2;
        let report = Report { folder: staleness.folder, unchanged, ..Report::default() };
        (findings.is_empty().then_some(report), findings)
    } else {
        match write::write(tree, &args.out, Options { force: args.force, threads: shell.threads }) {
            Ok(report) => (Some(report), Findings::default()),
            Err(WriteError::Findings(findings)) => (None, findings),
            Err(error) => return Err(error.to_string()),
        }
    };
    compilation.findings.extend(findings);
    Ok(report)
}

/// Two specs of one name would write to one folder, one over the other.
fn refuse_equal_names(compilations: &[(String, Compilation)]) -> Result<(), Stop> {
    let mut names = BTreeMap::new();
    for (spec, compilation) in compilations {
        let Some(tree) = &compilation.tree else { continue };
        if let Some(other) = names.insert(&tree.site, spec) {
            let site = &tree.site;
            return Err(Stop::Usage(format!("`{other}` and `{spec}` both name their site `{site}`; rename one")));
        }
    }
    Ok(())
}

fn summary(report: &Report, checked: bool) -> String {
    let Report { folder, created, replaced, pruned, unchanged, finished, .. } = report;
    let files = created.len() + replaced.len() + unchanged;
    if checked {
        return format!("{folder}: {files} files, up to date\n");
    }
    let parts =
        [(created.len(), "new"), (replaced.len(), "changed"), (pruned.len(), "removed"), (*unchanged, "unchanged")];
    let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
    let finished = if *finished { "; finished an interrupted build first" } else { "" };
    format!("{folder}: {files} files ({}{finished})\n", parts.join(", "))
}

/// What a build says about places that wait for an answer; empty when there are none.
fn waiting(report: &Report, findings: &Findings) -> String {
    let open = findings.iter().filter(|d| d.level == Level::Question).count();
    match open {
        0 => String::new(),
        1 => {
            format!("note: 1 question is open; what waits for its answer is listed in {}/questions.md\n", report.folder)
        }
        n => format!(
            "note: {n} questions are open; what waits for their answers is listed in {}/questions.md\n",
            report.folder
        ),
    }
}

fn tell_of_foreign(report: &Report, shell: &Shell) {
    const SHOWN: usize = 10;
    if report.foreign.is_empty() {
        return;
    }
    let mut text = format!("note: left alone in {}, since no build wrote it:\n", report.folder);
    for path in report.foreign.iter().take(SHOWN) {
        text.push_str(&format!("  {}\n", path.escape_debug()));
    }
    if report.foreign.len() > SHOWN {
        text.push_str(&format!("  … and {} more\n", report.foreign.len() - SHOWN));
    }
    shell.tell(&text);
}

fn output_json(report: &Report) -> Json {
    let Report { folder, created, replaced, pruned, unchanged, foreign, finished } = report;
    json!({
        "folder": folder,
        "created": created,
        "replaced": replaced,
        "pruned": pruned,
        "unchanged": unchanged,
        "foreign": foreign,
        "finished_interrupted_build": finished,
    })
}
