//! Findings in, the report for people out: what is wrong, where, why, and the way out, in the manner of rustc.

use std::collections::BTreeMap;
use std::fmt;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, ThemeCharacters, ThemeStyles,
};

use super::excerpt::{Excerpt, clean};
use super::{Diag, Findings, Label, Level};
use crate::source::{FileId, Sources};

/// How a report looks. The caller decides from terminal and environment; nothing is looked up here.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Columns after which notes and helps are wrapped; at least 40.
    pub width: usize,
    pub color: bool,
    /// Frames and underlines of box-drawing characters, otherwise of ASCII.
    pub unicode: bool,
    /// The most findings that are shown; all of them are counted.
    pub limit: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { width: 100, color: false, unicode: true, limit: usize::MAX }
    }
}

/// Labels beyond the primary one that a report shows; the rest is counted in a note.
const LABELS_SHOWN: usize = 8;

/// Renders all findings, one blank line between them, with a count and a pointer to `sitec explain` at the end.
/// Empty when there are none.
pub fn render(findings: &Findings, sources: &Sources, options: Options) -> String {
    let mut out = String::new();
    for diag in findings.gravest(options.limit) {
        out.push_str(&one(diag, sources, options));
        out.push('\n');
    }
    if !findings.is_empty() {
        out.push_str(&counts(findings));
        out.push('\n');
        out.push_str(&withheld(findings, options.limit));
        out.push_str(&pointer(findings));
    }
    out
}

/// The line that says how many findings a limit keeps back; empty when there are none.
pub fn withheld(findings: &Findings, limit: usize) -> String {
    match findings.len().saturating_sub(limit) {
        0 => String::new(),
        n => format!("{n} more {} not shown; `--all` shows everything\n", if n == 1 { "is" } else { "are" }),
    }
}

/// How many findings there are of each level: `2 errors, 1 warning, 3 questions`.
pub fn counts(findings: &Findings) -> String {
    let mut parts = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Question, Level::Note] {
        match findings.iter().filter(|d| d.level == level).count() {
            0 => {}
            1 => parts.push(format!("1 {}", level.name())),
            n => parts.push(format!("{n} {}s", level.name())),
        }
    }
    parts.join(", ")
}

/// The line that names `sitec explain` and the codes it can be asked about, errors first.
fn pointer(findings: &Findings) -> String {
    let mut codes: Vec<(Level, &str)> = findings.iter().map(|d| (d.level, &*d.code)).collect();
    codes.sort_unstable();
    codes.dedup_by_key(|(_, code)| *code);
    let mut codes = codes.into_iter().map(|(_, code)| code);
    match (codes.next(), codes.collect::<Vec<_>>()) {
        (Some(first), rest) if rest.is_empty() => format!("for more: sitec explain {first}\n"),
        (Some(first), rest) => format!("for more: sitec explain {first} (or {})\n", rest.join(", ")),
        (None, _) => String::new(),
    }
}

/// Renders one finding.
pub fn one(diag: &Diag, sources: &Sources, options: Options) -> String {
    let paint = Paint { color: options.color };
    let head = paint.level(diag.level, &format!("{}[{}]", diag.level.name(), clean(&diag.code)));
    let mut out = format!("{head}{}\n", paint.bold(&format!(": {}", clean(&diag.message))));
    let mut margin = 2;
    for labels in by_file(diag) {
        let snippet = snippet(diag, &labels, sources, options);
        // The lower left corner of the frame tells how far the notes are indented.
        let last = snippet.lines().last().unwrap_or_default();
        margin = last.len() - last.trim_start_matches(' ').len();
        out.push_str(&snippet);
    }
    let mut footer = |word: &str, text: &str| {
        let lead = format!("{}= {}: ", " ".repeat(margin), word);
        let width = options.width.max(40);
        let text = wrap(&clean(text), width.saturating_sub(lead.len()), lead.len());
        out.push_str(&format!("{}= {}: {text}\n", " ".repeat(margin), paint.bold(word)));
    };
    for note in &diag.notes {
        footer("note", note);
    }
    let hidden = diag.secondary.len().saturating_sub(LABELS_SHOWN);
    if hidden > 0 {
        footer("note", &format!("{hidden} more {} not shown", if hidden == 1 { "place is" } else { "places are" }));
    }
    if let Some(help) = help(diag) {
        footer("help", &help);
    }
    out
}

/// The help together with the text that would put things right.
pub(super) fn help(diag: &Diag) -> Option<String> {
    let replacement = diag.replacements.first().map(|r| r.text.as_str());
    let shown = replacement.filter(|t| !t.trim().is_empty() && t.len() <= 80 && !t.contains(['\n', '`']));
    match (&diag.help, shown) {
        (Some(help), Some(text)) if !says(help, text) => Some(format!("{help}: `{text}`")),
        (Some(help), _) => Some(help.clone()),
        (None, Some(text)) => Some(format!("write `{text}`")),
        (None, None) => None,
    }
}

/// Whether a help holds the text of a replacement, apart from quotes around a longer one.
fn says(help: &str, text: &str) -> bool {
    let plain = text.trim_matches(['"', '\'']);
    help.contains(text) || (plain.len() > 4 && help.contains(plain))
}

/// The labels to show, those of the primary one's file first.
fn by_file(diag: &Diag) -> Vec<Vec<(&Label, bool)>> {
    let mut files: BTreeMap<FileId, Vec<(&Label, bool)>> = BTreeMap::new();
    let primary = diag.primary.iter().map(|l| (l, true));
    for (label, primary) in primary.chain(diag.secondary.iter().take(LABELS_SHOWN).map(|l| (l, false))) {
        files.entry(label.span.file).or_default().push((label, primary));
    }
    let first = diag.primary.as_ref().and_then(|l| files.remove(&l.span.file));
    first.into_iter().chain(files.into_values()).collect()
}

fn snippet(diag: &Diag, labels: &[(&Label, bool)], sources: &Sources, options: Options) -> String {
    let Some((first, _)) = labels.first() else { return String::new() };
    let spans: Vec<_> = labels.iter().map(|(l, _)| l.span).collect();
    let excerpt = Excerpt::of(sources, first.span.file, &spans, options.width.max(40));
    let mut shown: Vec<(LabeledSpan, bool)> = Vec::new();
    for (at, (label, primary)) in excerpt.labels().iter().zip(labels) {
        let text = (!label.text.is_empty()).then(|| clean(&label.text));
        let span = (at.start, at.len);
        let span = match primary {
            true => LabeledSpan::new_primary_with_span(text, span),
            false => LabeledSpan::new_with_span(text, span),
        };
        shown.push((span, *primary));
    }
    // miette colours labels by their order in the text.
    shown.sort_by_key(|(l, _)| l.offset());
    let mut styles = if options.color { ThemeStyles::ansi() } else { ThemeStyles::none() };
    let main = match diag.level {
        Level::Error => styles.error,
        Level::Warning => styles.warning,
        Level::Question | Level::Note => styles.advice,
    };
    styles.highlights = shown.iter().map(|(_, primary)| if *primary { main } else { styles.link }).collect();
    let characters = if options.unicode { ThemeCharacters::unicode() } else { ThemeCharacters::ascii() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
        .with_links(false)
        .with_urls(false)
        .with_width(options.width.max(40))
        .with_context_lines(1)
        .with_wrap_lines(false)
        .without_syntax_highlighting();
    let view = View { excerpt, labels: shown.into_iter().map(|(l, _)| l).collect() };
    let mut text = String::new();
    match handler.render_report(&mut text, &view) {
        // The first line would be the message, which the report has already.
        Ok(()) => text
            .split_once('\n')
            .map_or("", |(_, rest)| rest)
            .lines()
            .fold(String::new(), |out, line| out + line.trim_end() + "\n"),
        Err(fmt::Error) => format!(" --> {}\n", sources.show(first.span)),
    }
}

/// What miette is given: labels on an excerpt, no message.
#[derive(Debug)]
struct View {
    excerpt: Excerpt,
    labels: Vec<LabeledSpan>,
}

impl fmt::Display for View {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for View {}

impl Diagnostic for View {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// Escape sequences for headlines, when colour is wanted.
struct Paint {
    color: bool,
}

impl Paint {
    fn level(&self, level: Level, text: &str) -> String {
        let code = match level {
            Level::Error => "1;31",
            Level::Warning => "1;33",
            Level::Question => "1;36",
            Level::Note => "1;32",
        };
        self.with(code, text)
    }

    fn bold(&self, text: &str) -> String {
        self.with("1", text)
    }

    fn with(&self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Breaks text at spaces into lines of at most `width` characters, all but the first indented.
fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::codes;
    use crate::source::{Role, Span};

    const PLAIN: Options = Options { width: 80, color: false, unicode: true, limit: usize::MAX };

    fn setup(text: &str) -> (Sources, FileId) {
        let mut sources = Sources::default();
        let file = sources.add("site.yaml", text, Role::Spec);
        (sources, file)
    }

    #[test]
    fn a_report_with_everything() {
        let (mut sources, file) = setup("sitec: 1\nhosts:\n  nfs1:\n    memroy: 8 GiB\n    memory: 4 GiB\n");
        let other = sources.add("base.yaml", "hosts: {}\n", Role::Spec);
        let mut findings = Findings::default();
        findings.push(
            Diag::new(codes::UNKNOWN_KEY, "unknown key `memroy`")
                .at(Span::new(file, 28, 34), "not a key of a host")
                .and(Span::new(file, 46, 52), "this is one")
                .and(Span::new(other, 0, 5), "the table begins here")
                .note("a host knows `addresses`, `os`, `cpu`, `memory`, `disk`, `link`, `iops`, `arch` and more")
                .help("a similar name exists")
                .replace(Span::new(file, 28, 34), "memory", true),
        );
        findings.push(Diag::with_code("demo/dns", Level::Question, "which name servers?"));
        let report = "\
error[S0201]: unknown key `memroy`
   ╭─[site.yaml:4:5]
 3 │   nfs1:
 4 │     memroy: 8 GiB
   ·     ───┬──
   ·        ╰── not a key of a host
 5 │     memory: 4 GiB
   ·     ───┬──
   ·        ╰── this is one
   ╰────
   ╭─[base.yaml:1:1]
 1 │ hosts: {}
   · ──┬──
   ·   ╰── the table begins here
   ╰────
   = note: a host knows `addresses`, `os`, `cpu`, `memory`, `disk`, `link`,
           `iops`, `arch` and more
   = help: a similar name exists: `memory`

question[demo/dns]: which name servers?

1 error, 1 question
for more: sitec explain S0201 (or demo/dns)
";
        assert_eq!(render(&findings, &sources, PLAIN), report);
        let coloured = render(&findings, &sources, Options { color: true, ..PLAIN });
        assert!(coloured.starts_with("\u{1b}[1;31merror[S0201]\u{1b}[0m\u{1b}[1m: unknown"));
    }

    #[test]
    fn ascii_frames() {
        let (sources, file) = setup("a: 1\n");
        let diag = Diag::new(codes::UNKNOWN_KEY, "unknown key `a`").at(Span::new(file, 0, 1), "here");
        let text = one(&diag, &sources, Options { unicode: false, ..PLAIN });
        assert_eq!(
            text,
            "error[S0201]: unknown key `a`\n   ,-[site.yaml:1:1]\n 1 | a: 1\n   : |\n   : `-- here\n   `----\n"
        );
    }

    #[test]
    fn places_at_the_edges_of_a_text() {
        for text in ["", "\n", "a: [1", "a: [1\n", "a\r\nb\r\n", "é", "\u{feff}a: 1\n"] {
            let (sources, file) = setup(text);
            for start in 0..=text.len() + 2 {
                for length in [0, 1, 5] {
                    let diag = Diag::new(codes::SYNTAX, "x").at(Span::new(file, start, start + length), "here");
                    let report = one(&diag, &sources, PLAIN);
                    assert!(report.contains("╰── here"), "{text:?} {start} {length}\n{report}");
                }
            }
        }
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let (sources, file) = setup("a: \u{1b}[31m\u{9b}x\u{202e}y\u{7f}\n");
        let diag = Diag::new(codes::SYNTAX, "bad `\u{1b}]0;x\u{7}`")
            .at(Span::new(file, 3, 8), "\u{1b}[2J")
            .note("n\u{9b}")
            .help("h\nx");
        let report = one(&diag, &sources, PLAIN);
        assert!(report.chars().all(|c| c == '\n' || !c.is_control()), "{report:?}");
        assert!(!report.contains('\u{202e}'));
    }

    #[test]
    fn long_lines_are_cut_around_the_label() {
        let text = format!("a: \"{}\", b: {}\n", "é".repeat(3000), "z".repeat(3000));
        let (sources, file) = setup(&text);
        let at = text.find("b:").expect("b is there");
        let diag = Diag::new(codes::SYNTAX, "x").at(Span::new(file, at, at + 1), "here");
        let report = one(&diag, &sources, PLAIN);
        assert!(report.lines().all(|l| l.chars().count() < 260), "{report}");
        assert!(report.contains("site.yaml:1:3008") && report.contains("…"), "{report}");
    }

    #[test]
    fn a_span_of_many_lines_shows_its_first() {
        let text = format!("hosts:\n{}", "  a: 1\n".repeat(100));
        let (sources, file) = setup(&text);
        let diag = Diag::new(codes::SYNTAX, "x").at(Span::new(file, 9, text.len()), "here");
        assert!(one(&diag, &sources, PLAIN).lines().count() < 10);
    }
}
