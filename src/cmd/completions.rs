//! `sitec completions`: a completion script, made from the command line's own description.

use super::{Exit, Shell, Stop};
use crate::cli::CompletionsArgs;

pub fn run(args: &CompletionsArgs, shell: &Shell, mut command: clap::Command) -> Result<Exit, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "sitec", &mut script);
    shell.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Fine)
}
