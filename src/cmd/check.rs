//! `sitec check`: says everything that is wrong with specs, and what they leave open.

use super::report::{document, exit_of};
use super::{Exit, Shell, Stop};
use crate::cli::{CheckArgs, Format};
use crate::compile::Depth;

pub fn run(args: &CheckArgs, shell: &Shell) -> Result<Exit, Stop> {
    let mut compilations = shell.project()?.compile_all(&args.spec, Depth::Check)?;
    let (mut exit, mut documents) = (Exit::Fine, Vec::new());
    for (spec, compilation) in &mut compilations {
        args.strictness.apply(&mut compilation.findings)?;
        shell.report(&compilation.findings, &compilation.sources);
        exit = exit.max(exit_of(&compilation.findings));
        let name = compilation.site_name();
        if shell.format == Format::Json {
            documents.push(document(
                spec,
                name.as_deref(),
                &compilation.findings,
                &compilation.sources,
                serde_json::json!({}),
            ));
        } else if compilation.findings.is_empty() {
            shell.print(&format!("{spec}: nothing to report\n"))?;
        }
    }
    if shell.format == Format::Json {
        shell.print_json(args.spec.is_dir(), documents)?;
    }
    Ok(exit)
}
