//! The commands, one per file: arguments in, text on the standard streams and an exit code out. What they do is done
//! by the library.

pub mod build;
pub mod can;
pub mod check;
pub mod completions;
pub mod coverage;
pub mod diff;
pub mod explain;
mod fix;
pub mod init;
mod input;
pub mod packs;
mod pages;
mod progress;
pub mod questions;
mod report;
pub mod schema;
pub mod show;
pub mod why;

use std::io::{self, IsTerminal, Write};

use crate::cli::{Color, Format, Global};
use input::Project;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    Fine,
    /// Errors in a spec, differences, a stale tree.
    Findings,
    /// Wrong arguments, or a file that cannot be read or written.
    Usage,
    /// A bug of the compiler.
    Bug,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Fine => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Bug => 101,
        }
    }
}

/// Why a command ends before its end.
#[derive(Debug)]
pub enum Stop {
    /// Nobody reads the output any more.
    Closed,
    /// What was asked for cannot be done.
    Usage(String),
}

/// The standard streams, and how to write to them.
#[derive(Debug)]
pub struct Shell {
    pub format: Format,
    pub threads: usize,
    packs: Vec<camino::Utf8PathBuf>,
    color: Color,
    ascii: bool,
    width: Option<u16>,
    /// The most findings that are shown to people.
    limit: usize,
}

impl Shell {
    pub fn new(global: &Global) -> Self {
        let Global { format, color, packs, threads, ascii, width, limit, all } = global.clone();
        let limit = if all { usize::MAX } else { limit };
        Self { format, threads, packs, color, ascii, width, limit }
    }

    /// Reads the packs that this run may use.
    fn project(&self) -> Result<Project, Stop> {
        Project::read(&self.packs, self.threads)
    }

    /// Writes to standard output.
    pub fn print(&self, text: &str) -> Result<(), Stop> {
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Err(Stop::Closed),
            Err(e) => Err(Stop::Usage(format!("cannot write to standard output: {e}"))),
        }
    }

    /// Writes to standard error; that nobody listens there is no reason to fail.
    pub fn tell(&self, text: &str) {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Says why a command cannot do what it was asked for.
    pub fn complain(&self, message: &str) {
        let (on, off) = if self.color_on_stderr() { ("\x1b[1;31m", "\x1b[0m") } else { ("", "") };
        self.tell(&format!("{on}error{off}: {message}\n"));
    }

    pub fn color_on_stdout(&self) -> bool {
        self.color_on(io::stdout().is_terminal())
    }

    pub fn color_on_stderr(&self) -> bool {
        self.color_on(io::stderr().is_terminal())
    }

    fn color_on(&self, terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => color_by_environment(&|name| std::env::var(name).ok(), terminal),
        }
    }
}

/// The conventions of no-color.org and bixense.com/clicolors.
fn color_by_environment(variable: &dyn Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    terminal && set("CLICOLOR").is_none_or(|value| value != "0") && set("TERM").is_none_or(|value| value != "dumb")
}

/// Says that the compiler has a bug; `what` is what is known about it.
pub fn report_bug(what: &str) {
    let text = format!(
        "\nerror: this is a bug in sitec, not in your spec\n\n{what}\n\nNothing is wrong with your files: no output \
         was written, or the next build finishes it.\nPlease report it with this text, the version ({}) and, if you \
         can share it, the spec.\n",
        env!("CARGO_PKG_VERSION")
    );
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::color_by_environment;

    #[test]
    fn colours_follow_the_conventions() {
        let color = |variables: &[(&str, &str)], terminal| {
            let find = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
            color_by_environment(&find, terminal)
        };
        assert!(color(&[], true));
        assert!(!color(&[], false));
        assert!(color(&[("NO_COLOR", "")], true));
        assert!(!color(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true));
        assert!(color(&[("CLICOLOR_FORCE", "1")], false));
        assert!(!color(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!color(&[("CLICOLOR", "0")], true));
        assert!(!color(&[("TERM", "dumb")], true));
    }
}
