//! What the comparison has to say: each difference between an emitted file and the `Ir` becomes a finding.

use super::fault::Fault;
use crate::diag::{Diag, Findings, Level, codes};

/// A place in an emitted file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct At<'a> {
    pub path: &'a str,
    /// Counted from 1; 0 when no single line is to blame.
    pub line: usize,
}

/// Takes the differences.
pub struct Bugs<'f> {
    findings: &'f mut Findings,
}

impl<'f> Bugs<'f> {
    pub fn new(findings: &'f mut Findings) -> Self {
        Self { findings }
    }

    /// Takes the differences that were found beside.
    pub fn extend(&mut self, found: Findings) {
        self.findings.extend(found);
    }

    /// A reader refuses a file.
    pub fn unreadable(&mut self, path: &str, fault: &Fault) {
        self.push(codes::UNREADABLE_ARTIFACT, format!("`{path}` cannot be read back: {fault}"));
    }

    /// An item of the `Ir` is in no file, or not in the one where it belongs.
    pub fn missing(&mut self, path: &str, what: &str) {
        self.push(codes::ARTIFACT_DIFFERS, format!("`{path}` lacks {what}"));
    }

    /// An item belongs into a file that was not emitted at all.
    pub fn no_file(&mut self, format: &str, host: &str, what: &str) {
        self.push(codes::ARTIFACT_DIFFERS, format!("no `{format}` file of `{host}` has {what}"));
    }

    /// A file has an item that is not in the `Ir`.
    pub fn extra(&mut self, at: At, what: &str) {
        self.push(codes::ARTIFACT_DIFFERS, format!("{} has {what}, which nothing in the site asks for", show(at)));
    }

    /// A file says something else than the `Ir`.
    pub fn wrong(&mut self, at: At, what: &str) {
        self.push(codes::ARTIFACT_DIFFERS, format!("{}: {what}", show(at)));
    }

    /// A file has another value than the `Ir`; silent when both are equal.
    pub fn same<T: PartialEq + ?Sized>(
        &mut self,
        at: At,
        what: &dyn Fn() -> String,
        found: &T,
        meant: &T,
        text: &dyn Fn(&T) -> String,
    ) {
        if found != meant {
            let (what, found, meant) = (what(), text(found), text(meant));
            self.wrong(at, &format!("{what} is `{found}`, and `{meant}` was meant"));
        }
    }

    /// A path that leads nowhere. While questions are open the file may only be waiting for an answer.
    pub fn dangling(&mut self, at: At, target: &str, similar: Option<&str>, waits: bool) {
        let message = format!("{} names `{target}`, which is not in the tree", show(at));
        let mut diag = match waits {
            false => bug(codes::DANGLING_PATH, message),
            true => Diag { level: Level::Warning, ..Diag::new(codes::DANGLING_PATH, message) }
                .note("questions are open, and the file may wait for an answer"),
        };
        if let Some(similar) = similar {
            diag = diag.note(format!("a file with a similar path is in the tree: `{similar}`"));
        }
        self.findings.push(diag);
    }

    fn push(&mut self, code: codes::Code, message: String) {
        self.findings.push(bug(code, message));
    }
}

fn bug(code: codes::Code, message: String) -> Diag {
    Diag::new(code, message)
        .note("this is a bug of the compiler or of the pack's template, not of the spec; nothing is written")
        .help("report it together with the spec; in a pack of your own, correct the template")
}

fn show(at: At) -> String {
    match at.line {
        0 => format!("`{}`", at.path),
        line => format!("`{}` line {line}", at.path),
    }
}

/// Whether a finding is a bug of the compiler, for which the command line exits with 101.
pub fn is_bug(diag: &Diag) -> bool {
    diag.code.starts_with("S08") && diag.level == Level::Error
}

/// Texts joined by commas, for messages.
pub fn joined(list: &[impl AsRef<str>]) -> String {
    list.iter().map(|s| s.as_ref()).collect::<Vec<_>>().join(",")
}
