//! `sitec check`: says everything that is wrong with specs, and what they leave open.

use serde_json::json;

use super::report::{Reports, exit_of};
use super::{Exit, Shell, Stop};
use crate::cli::{CheckArgs, Format};
use crate::compile::Depth;

pub fn run(args: &CheckArgs, shell: &Shell) -> Result<Exit, Stop> {
    let mut project = shell.project()?;
    project.levels = args.strictness.levels(&project)?;
    let mut reports = Reports::begin(shell, &project)?;
    if args.fix {
        return super::fix::run(args, &project, shell, reports);
    }
    let mut exit = Exit::Fine;
    for (spec, compilation) in &project.compile_all(&args.spec, Depth::Check)? {
        exit = exit.max(exit_of(&compilation.findings));
        let name = compilation.site_name();
        reports.add(spec, name.as_deref(), &compilation.findings, &compilation.sources, json!({}));
        if compilation.findings.is_empty() && matches!(shell.format, Format::Human | Format::Short) {
            shell.print(&format!("{spec}: nothing to report\n"))?;
        }
    }
    reports.end(args.spec.is_dir())?;
    Ok(exit)
}
