//! The lexer of Markdown: code fences, inline code, comments, link destinations, table rows.

use super::super::{Context, Form, Inner};
use super::{VALUE, Violation, embedded, embedded_delimiter};

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Markdown {
    /// Character and length of the run that opened a code fence.
    fence: Option<(char, usize)>,
    comment: bool,
    /// Length of the run of backticks that opened inline code.
    code: Option<usize>,
    /// Backticks read without knowing yet how many there are.
    ticks: usize,
    line: String,
    behind: Option<Behind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Code,
    Fence(Inner),
}

impl Markdown {
    pub(super) fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        let mut result = Ok(());
        if let (Some(behind), Some(c)) = (self.behind, literal.chars().next()) {
            self.behind = None;
            let fits = match behind {
                Behind::Code => c != '`',
                Behind::Fence(inner) => embedded_delimiter(inner, c),
            };
            if !fits {
                result = Err(Violation::touching(c, "behind"));
            }
        }
        for c in literal.chars() {
            self.read(c);
            if c == '\n' {
                self.line.clear();
            } else {
                self.line.push(c);
            }
        }
        result
    }

    fn read(&mut self, c: char) {
        if c == '\n' {
            self.end_line();
            return;
        }
        if self.fence.is_some() {
            return;
        }
        if self.comment {
            self.comment = !(c == '>' && self.line.ends_with("--"));
            return;
        }
        if c == '`' && (self.ticks > 0 || self.code.is_some() || !self.line.ends_with('\\')) {
            self.ticks += 1;
            return;
        }
        self.end_ticks();
        if self.code.is_none() && c == '-' && self.line.ends_with("<!-") {
            self.comment = true;
        }
    }

    fn end_ticks(&mut self) {
        let run = std::mem::take(&mut self.ticks);
        match self.code {
            _ if run == 0 => {}
            None => self.code = Some(run),
            Some(open) if open == run => self.code = None,
            Some(_) => {}
        }
    }

    fn end_line(&mut self) {
        let head = fence_head(&self.line);
        match (self.fence, head) {
            (Some((open, length)), Some((c, run, rest))) if c == open && run >= length && rest.trim().is_empty() => {
                self.fence = None;
            }
            (Some(_), _) => {}
            (None, Some((c, run, rest))) if !self.comment && (c != '`' || !rest.contains('`')) => {
                self.fence = Some((c, run));
                self.code = None;
            }
            (None, _) if self.line.trim().is_empty() => self.code = None,
            (None, _) => self.end_ticks(),
        }
        self.ticks = 0;
    }

    /// Whether inline code is open here.
    pub(super) fn in_code(&mut self) -> bool {
        if self.fence.is_none() && !self.comment && fence_head(&self.line).is_none() {
            self.end_ticks();
        }
        self.fence.is_none() && !self.comment && self.code.is_some()
    }

    pub(super) fn interpolation(&mut self, context: Context) -> Result<Option<Context>, Violation> {
        let touches_tick = self.ticks > 0 || self.behind == Some(Behind::Code);
        if fence_head(&self.line).is_none() {
            self.end_ticks();
        }
        let found = self.place(context, touches_tick)?;
        self.behind = match found {
            Some(Context::By(Form::Code | Form::CodeCell)) => Some(Behind::Code),
            Some(Context::Fence(inner)) => Some(Behind::Fence(inner)),
            _ => None,
        };
        self.line.push(VALUE);
        Ok(found)
    }

    fn place(&self, context: Context, touches_tick: bool) -> Result<Option<Context>, Violation> {
        if self.fence.is_some() {
            let Context::Fence(inner) = context else {
                return Err(Violation::inside("a code fence", "write `<{ x|fence }>` or `<{ x|fence('shell') }>`"));
            };
            embedded(&self.line, inner)?;
            return Ok(Some(context));
        }
        if self.comment {
            return match context {
                Context::Comment => Ok(Some(context)),
                _ => Err(Violation::inside("a comment", "write `<{ x|comment }>`")),
            };
        }
        if fence_head(&self.line).is_some() {
            return Err(Violation::inside("the head of a code fence", "write the language out"));
        }
        if self.code.is_some() || touches_tick {
            return Err(Violation::inside(
                "backticks",
                "leave them out and write `<{ x|code }>`, which brings its own",
            ));
        }
        if in_tag(&self.line) {
            return Err(Violation::inside("an HTML tag", "use Markdown instead of HTML"));
        }
        Ok(match context {
            Context::By(Form::Token) if self.line.ends_with("](") => Some(Context::By(Form::Url)),
            Context::By(Form::Code) if self.line.trim_start().starts_with('|') => Some(Context::By(Form::CodeCell)),
            Context::By(Form::Token | Form::Code) => Some(context),
            _ => None,
        })
    }
}

/// The run of backticks or tildes that a line begins with, inside quotes and lists: character, length, what follows.
fn fence_head(line: &str) -> Option<(char, usize, &str)> {
    let mut rest = line.trim_start();
    while let Some(after) = ["> ", "- ", "* ", "+ "].iter().find_map(|mark| rest.strip_prefix(mark)) {
        rest = after.trim_start();
    }
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if digits > 0
        && let Some(after) = rest[digits..].strip_prefix(". ")
    {
        rest = after.trim_start();
    }
    let c = rest.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let after = rest.trim_start_matches(c);
    let run = rest.len() - after.len();
    (run >= 3).then_some((c, run, after))
}

/// Whether a line ends inside a tag of raw HTML.
fn in_tag(line: &str) -> bool {
    line.rsplit_once('<').is_some_and(|(before, tag)| {
        !before.ends_with('\\')
            && !tag.contains('>')
            && tag.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?') || c == VALUE)
    })
}
