//! What keeps a build from writing into a folder, as findings.

use super::WriteError;
use super::disk::Kind;
use crate::artifact::Immutable;
use crate::diag::{Diag, Findings, codes};

/// Lines of a diff that a finding shows.
const DIFF_LINES: usize = 60;

/// One reason not to write.
#[derive(Debug)]
pub enum Trouble {
    /// A file of ours is not as it was written. The diff leads from what would be written to what is there.
    Edited { path: String, diff: Option<String> },
    /// Something that is not ours stands where a file or folder of ours belongs.
    InTheWay { path: String, kind: Kind, diff: Option<String> },
    /// A symbolic link stands where a file or folder of ours belongs.
    Link { path: String },
    /// A path that must not be written to.
    Unsafe { path: String, fault: String },
    /// The manifest on disk does not say what was written.
    Manifest { fault: String },
    /// A value changes that the installed product cannot change; `gone` when nothing of the product is left.
    Immutable { pointer: String, old: String, new: Option<Immutable>, gone: bool },
}

impl Trouble {
    /// Whether `--force` is an answer to it.
    pub fn yields(&self) -> bool {
        match self {
            Trouble::Edited { .. } | Trouble::Manifest { .. } => true,
            Trouble::InTheWay { kind, .. } => *kind == Kind::File,
            Trouble::Immutable { gone, .. } => *gone,
            Trouble::Link { .. } | Trouble::Unsafe { .. } => false,
        }
    }

    /// The path that it is about.
    pub fn path(&self) -> Option<&str> {
        match self {
            Trouble::Edited { path, .. }
            | Trouble::InTheWay { path, .. }
            | Trouble::Link { path }
            | Trouble::Unsafe { path, .. } => Some(path),
            Trouble::Manifest { .. } | Trouble::Immutable { .. } => None,
        }
    }

    /// Stops with the findings of all troubles that force does not overcome.
    pub fn stop(troubles: Vec<Trouble>, force: bool) -> Result<(), WriteError> {
        let mut findings = Findings::default();
        for trouble in troubles.into_iter().filter(|t| !(force && t.yields())) {
            findings.push(trouble.diag());
        }
        if findings.is_empty() { Ok(()) } else { Err(WriteError::Findings(findings)) }
    }

    pub fn diag(self) -> Diag {
        match self {
            Trouble::Edited { path, diff } => {
                let message = format!("`{path}` was edited by hand after it was written");
                let help = "take the edit over into the spec, or discard it with `--force`";
                with_diff(Diag::new(codes::EDITED_BY_HAND, message).help(help), diff)
            }
            Trouble::InTheWay { path, kind, diff } => {
                let message = format!("`{path}` is {} that `sitec` has not written", kind.name());
                let help = match kind {
                    Kind::File => "move it away, or replace it with `--force`",
                    _ => "move it away: a file or folder of the site belongs there",
                };
                with_diff(Diag::new(codes::IN_THE_WAY, message).help(help), diff)
            }
            Trouble::Link { path } => {
                Diag::new(codes::LINK_IN_OUTPUT, format!("`{path}` is a symbolic link in the output folder"))
                    .note("following it could overwrite files outside the folder")
                    .help("remove the link, and build again")
            }
            Trouble::Unsafe { path, fault } => {
                Diag::new(codes::UNSAFE_PATH, format!("the output path `{}` {fault}", path.escape_debug()))
                    .help("change the name in the spec, or the path in the pack, that it is made of")
            }
            Trouble::Manifest { fault } => Diag::new(
                codes::UNREADABLE_MANIFEST,
                format!("`MANIFEST.json` in the output folder is not usable: {fault}"),
            )
            .note("without it `sitec` cannot tell its own files from yours")
            .help("restore it, remove the folder, or replace every file of the site with `--force`"),
            Trouble::Immutable { pointer, old, new, gone } => immutable(pointer, &old, new, gone),
        }
    }
}

/// A value that changes, becomes unanswered, or is there no more.
fn immutable(pointer: String, old: &str, new: Option<Immutable>, gone: bool) -> Diag {
    let change = match new.as_ref().map(|n| &n.value) {
        None => format!("`{pointer}` was `{old}` and is no longer part of the site"),
        Some(None) => format!("`{pointer}` was `{old}` and is unanswered now"),
        Some(Some(now)) => format!("`{pointer}` changes from `{old}` to `{now}`"),
    };
    let mut diag = Diag::new(codes::IMMUTABLE_CHANGED, format!("{change}, but cannot change after the installation"))
        .help(match gone {
            true => "if the installation is really gone, build with `--force`; a product's name cannot change",
            false => "keep the value; for a new installation build into another folder with `--out`",
        });
    if let Some(Immutable { why, cite, span, .. }) = new {
        diag = diag.at_maybe(span, "");
        for note in [why, cite.to_string()].into_iter().filter(|n| !n.is_empty()) {
            diag = diag.note(note);
        }
    }
    diag.pointer(pointer)
}

fn with_diff(diag: Diag, diff: Option<String>) -> Diag {
    let Some(diff) = diff.filter(|d| !d.is_empty()) else { return diag };
    let count = diff.lines().count();
    let mut shown: String = diff.split_inclusive('\n').take(DIFF_LINES).collect();
    if count > DIFF_LINES {
        shown.push_str(&format!("… and {} more lines", count - DIFF_LINES));
    }
    diag.note(shown.trim_end())
}
