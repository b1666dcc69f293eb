//! Findings in, text on the stream of the chosen format out.

use serde_json::Value as Json;

use super::input::Project;
use super::packs::available;
use super::pages::{Page, pages};
use super::{Exit, Shell, Stop};
use crate::cli::{Format, Strictness};
use crate::diag::levels::{About, Levels, Wish, can_be_lowered, level_of};
use crate::diag::{Findings, Level, codes, github, human, json, sarif, short, similar_name};
use crate::source::Sources;

impl Strictness {
    /// The wishes about levels. Refuses a code that cannot exist, and one that cannot be lowered.
    pub(super) fn levels(&self, project: &Project) -> Result<Levels, Stop> {
        let mut of_packs: Option<Vec<String>> = None;
        let mut levels = Levels::default();
        for (wish, about) in &self.wishes {
            let refuse = |why: &str| Err(Stop::Usage(format!("`{} {about}`: {why}", wish.option())));
            let found = match (level_of(about), codes::find(about)) {
                (Some(Level::Error), _) if *wish != Wish::Deny => {
                    return refuse("errors cannot be lowered all at once");
                }
                (Some(level), _) => About::Level(level),
                (None, Some(row)) => About::Code(row.code.to_owned()),
                (None, None) => {
                    if of_packs.is_none() {
                        of_packs = Some(codes_of_packs(project)?);
                    }
                    let known = of_packs.iter().flatten().map(String::as_str);
                    if known.clone().all(|code| code != about) {
                        let own = codes::TABLE.iter().flat_map(|row| [row.code, row.name]);
                        let levels = ["warnings", "questions", "notes"];
                        return refuse(&match similar_name(about, known.chain(own).chain(levels)) {
                            Some(near) => format!("neither a level nor a code; there is `{near}`"),
                            None => "neither a level nor a code; `sitec explain` lists them".to_owned(),
                        });
                    }
                    About::Code(about.clone())
                }
            };
            if let About::Code(code) = &found
                && *wish != Wish::Deny
                && !can_be_lowered(code)
            {
                return refuse("no correct artifact can be made with this error");
            }
            levels.wishes.push((*wish, found));
        }
        Ok(levels)
    }
}

fn codes_of_packs(project: &Project) -> Result<Vec<String>, Stop> {
    let mut codes = Vec::new();
    for pack in available(project) {
        codes.extend(pages(&pack)?.into_iter().map(|page| page.code));
    }
    Ok(codes)
}

/// What findings alone make of the exit code.
pub fn exit_of(findings: &Findings) -> Exit {
    // S08xx: what was emitted does not say what was meant.
    if findings.iter().any(|d| d.level == Level::Error && d.code.starts_with("S08")) {
        Exit::Bug
    } else if findings.has_errors() {
        Exit::Findings
    } else {
        Exit::Fine
    }
}

impl Shell {
    /// Reports for people on standard error, annotations on standard output.
    pub(super) fn report(&self, findings: &Findings, sources: &Sources) {
        match self.format {
            Format::Short => self.tell(&short::render_some(findings, sources, self.limit)),
            // That nobody reads annotations is no reason to fail.
            Format::Github => drop(self.print(&github::render(findings, sources))),
            _ => self.tell(&human::render(findings, sources, self.looks())),
        }
    }

    fn looks(&self) -> human::Options {
        human::Options {
            width: self.width.map_or_else(width, usize::from),
            color: self.color_on_stderr(),
            unicode: !self.ascii && locale_is_unicode(),
            limit: self.limit,
        }
    }
}

/// The reports of a run over one site or several, for people at once, for programs as one document at the end.
pub struct Reports<'s> {
    shell: &'s Shell,
    pages: Vec<Page>,
    documents: Vec<Json>,
    runs: Vec<sarif::Run>,
}

impl<'s> Reports<'s> {
    pub fn begin(shell: &'s Shell, project: &Project) -> Result<Self, Stop> {
        let mut own = Vec::new();
        if shell.format == Format::Sarif {
            for pack in available(project) {
                own.extend(pages(&pack)?);
            }
        }
        Ok(Self { shell, pages: own, documents: Vec::new(), runs: Vec::new() })
    }

    /// Adds the findings about a spec, and what the command has to say besides.
    pub fn add(&mut self, spec: &str, site: Option<&str>, findings: &Findings, sources: &Sources, more: Json) {
        match self.shell.format {
            Format::Json => self.documents.push(document(spec, site, findings, sources, more)),
            Format::Sarif => {
                let page = |code: &str| self.pages.iter().find(|p| p.code == code).map(|p| p.text.clone());
                let run = sarif::run(findings, sources, &page);
                self.runs.push(run);
            }
            _ => self.shell.report(findings, sources),
        }
    }

    /// Prints the document, if there is one: the only report as it is, those of a folder under `sites`.
    pub fn end(mut self, folder: bool) -> Result<(), Stop> {
        match self.shell.format {
            Format::Json => {
                let document = match self.documents.pop() {
                    Some(only) if !folder => only,
                    last => {
                        self.documents.extend(last);
                        serde_json::json!({ "version": 1, "sites": self.documents })
                    }
                };
                self.shell.print(&format!("{document:#}\n"))
            }
            Format::Sarif => self.shell.print(&sarif::render(self.runs)),
            _ => Ok(()),
        }
    }
}

/// The documented report as JSON, with the spec it is about and what the command adds.
fn document(spec: &str, site: Option<&str>, findings: &Findings, sources: &Sources, more: Json) -> Json {
    let mut document = json::value(findings, sources);
    if let Json::Object(fields) = &mut document {
        fields.insert("spec".to_string(), spec.into());
        fields.insert("site".to_string(), site.into());
        if let Json::Object(more) = more {
            fields.extend(more);
        }
    }
    document
}

/// Columns of the terminal as the shell tells them, otherwise 100.
fn width() -> usize {
    std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok()).unwrap_or(100).clamp(40, 140)
}

/// Whether frames may be drawn with characters beyond ASCII; no word about it counts as yes.
fn locale_is_unicode() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
