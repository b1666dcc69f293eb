//! The lexer of YAML: block and flow collections, quotes, comments, block scalars.

use super::super::{Context, Form, Inner};
use super::{VALUE, Violation, embedded, embedded_delimiter};

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Yaml {
    mode: Mode,
    /// Open brackets of flow collections.
    flow: Vec<char>,
    line: String,
    last: Last,
    /// A `:`, `-` or `?` that is an indicator if a blank follows.
    pending: Option<char>,
    behind: Option<Inner>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Plain,
    Single,
    Double,
    Comment,
    /// An anchor or a tag, up to the next blank.
    Property,
    /// Behind `|` or `>`, up to the end of the line.
    Header {
        parent: usize,
    },
    /// Lines indented deeper than `parent`.
    Block {
        parent: usize,
    },
}

/// What was read last, as far as it decides what may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// Nothing on this line; `value` when an indicator of an earlier line waits for one.
    LineStart { value: bool },
    /// A value may come.
    Indicator,
    /// A scalar of the template's own.
    Scalar,
    /// An interpolation.
    Value,
}

impl Default for Last {
    fn default() -> Self {
        Last::LineStart { value: true }
    }
}

impl Yaml {
    pub(super) fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        let mut result = Ok(());
        if let Some(c) = literal.chars().next()
            && self.behind.take().is_some_and(|inner| !embedded_delimiter(inner, c))
        {
            result = Err(Violation::touching(c, "behind"));
        }
        for (offset, c) in literal.char_indices() {
            let read = self.read(c).map_err(|v| v.at(offset));
            result = result.and(read);
            if c == '\n' {
                self.line.clear();
            } else {
                self.line.push(c);
            }
        }
        result
    }

    fn read(&mut self, c: char) -> Result<(), Violation> {
        match self.mode {
            Mode::Single if c == '\'' => self.mode = Mode::Plain,
            // A backslash before it, unless that one is escaped itself.
            Mode::Double if c == '"' && self.line.chars().rev().take_while(|c| *c == '\\').count() % 2 == 0 => {
                self.mode = Mode::Plain;
            }
            Mode::Single | Mode::Double => {}
            Mode::Comment if c == '\n' => self.newline(),
            Mode::Comment => {}
            Mode::Property if c == ' ' => self.mode = Mode::Plain,
            Mode::Property if c == '\n' => self.newline(),
            Mode::Property => {}
            Mode::Header { parent } => {
                if c == '\n' {
                    self.mode = Mode::Block { parent };
                }
            }
            Mode::Block { parent } => {
                let head = self.line.chars().all(|c| c == ' ');
                if head && c != ' ' && c != '\n' && self.line.len() <= parent && !(parent == 0 && self.line.len() == 1)
                {
                    self.mode = Mode::Plain;
                    self.last = Last::LineStart { value: false };
                    return self.plain(c);
                }
            }
            Mode::Plain => return self.plain(c),
        }
        Ok(())
    }

    fn newline(&mut self) {
        self.mode = Mode::Plain;
        self.pending = None;
        if self.flow.is_empty() {
            let waits = matches!(self.last, Last::Indicator | Last::LineStart { value: true });
            self.last = Last::LineStart { value: waits };
        }
    }

    fn plain(&mut self, c: char) -> Result<(), Violation> {
        let in_flow = !self.flow.is_empty();
        let blank = matches!(c, ' ' | '\t' | '\n' | '\r');
        if let Some(indicator) = self.pending.take() {
            if blank || (indicator == ':' && in_flow && matches!(c, ',' | ']' | '}' | '[' | '{' | '"' | '\'')) {
                self.last = Last::Indicator;
            } else if self.last == Last::Value {
                return Err(Violation::touching(indicator, "behind"));
            } else {
                self.last = Last::Scalar;
            }
        }
        if c == '\n' {
            self.newline();
            return Ok(());
        }
        if blank {
            return Ok(());
        }
        let behind_blank = self.line.chars().next_back().is_none_or(|b| matches!(b, ' ' | '\t'));
        let fresh = matches!(self.last, Last::LineStart { .. } | Last::Indicator);
        match c {
            '#' if behind_blank => self.mode = Mode::Comment,
            ':' => self.pending = Some(':'),
            '-' | '?' if fresh && !in_flow => self.pending = Some(c),
            '[' | '{' if fresh => {
                self.flow.push(c);
                self.last = Last::Indicator;
            }
            ']' | '}' if in_flow => {
                self.flow.pop();
                self.last = Last::Scalar;
            }
            ',' if in_flow => self.last = Last::Indicator,
            _ if self.last == Last::Value => {
                let c = if behind_blank { ' ' } else { c };
                return Err(Violation::touching(c, "behind")).map_err(|v| match c {
                    ' ' => Violation { message: "text follows the interpolation on its line".into(), ..v },
                    _ => v,
                });
            }
            '"' if fresh => self.begin(Mode::Double),
            '\'' if fresh => self.begin(Mode::Single),
            // The closing quote of `''` opens the string again: it was an escaped quote.
            '\'' if self.line.ends_with('\'') && self.last == Last::Scalar => self.mode = Mode::Single,
            '&' | '!' if fresh => self.mode = Mode::Property,
            '|' | '>' if fresh && !in_flow => {
                self.mode = Mode::Header { parent: parent_column(&self.line) };
                self.last = Last::Scalar;
            }
            _ => self.last = Last::Scalar,
        }
        Ok(())
    }

    fn begin(&mut self, mode: Mode) {
        self.mode = mode;
        self.last = Last::Scalar;
    }

    pub(super) fn interpolation(&mut self, context: Context, next: &str) -> Result<Option<Context>, Violation> {
        self.behind = None;
        if let Mode::Block { parent } = self.mode
            && self.line.chars().all(|c| c == ' ')
            && self.line.len() <= parent
        {
            self.mode = Mode::Plain;
            self.last = Last::LineStart { value: false };
        }
        let found = self.place(context, next)?;
        match found {
            Some(Context::By(_)) => self.last = Last::Value,
            Some(Context::Block(inner)) => self.behind = Some(inner),
            _ => {}
        }
        self.line.push(VALUE);
        Ok(found)
    }

    fn place(&self, context: Context, next: &str) -> Result<Option<Context>, Violation> {
        match self.mode {
            Mode::Comment => match context {
                Context::Comment => return Ok(Some(context)),
                _ => return Err(Violation::inside("a comment", "write `<{ x|comment }>`")),
            },
            Mode::Block { .. } => match context {
                Context::Block(inner) => {
                    embedded(self.line.trim_start(), inner)?;
                    return Ok(Some(context));
                }
                _ => return Err(Violation::inside("a block scalar", "write `<{ x|block }>`")),
            },
            Mode::Single | Mode::Double => {
                return Err(Violation::inside("quotes", "leave the quotes out; the value brings its own"));
            }
            Mode::Property | Mode::Header { .. } => {
                return Err(Violation::inside("an anchor, a tag or the head of a block scalar", "write that out"));
            }
            Mode::Plain => {}
        }
        let Context::By(form) = context else {
            return Ok(None);
        };
        if let Some(c) = self.pending {
            return Err(Violation::touching(c, "before"));
        }
        let key =
            next.trim_start_matches(' ').strip_prefix(':').is_some_and(|r| r.is_empty() || r.starts_with([' ', '\n']));
        match self.last {
            Last::LineStart { value: false } if !key => {
                return Err(Violation::new(
                    "the interpolation would go on with the text of the line before",
                    "write a key, `- ` or a flow bracket before it",
                ));
            }
            Last::LineStart { .. } | Last::Indicator => {}
            Last::Value => return Err(Violation::touching(VALUE, "before")),
            Last::Scalar => {
                let c = self.line.chars().next_back().unwrap_or(' ');
                return Err(Violation::touching(c, "before"));
            }
        }
        Ok(match form {
            Form::Token if key => Some(Context::By(Form::Key)),
            Form::Token | Form::Flow => Some(context),
            Form::Literal | Form::Ident => Some(Context::TOKEN),
            _ => None,
        })
    }
}

/// The column of the collection entry that a block scalar's head belongs to: its lines are indented deeper.
fn parent_column(line: &str) -> usize {
    let mut column = line.len() - line.trim_start_matches(' ').len();
    loop {
        let rest = line[column..].trim_start_matches(' ');
        match rest.strip_prefix("- ") {
            Some(after) if !after.trim().is_empty() => {
                column = line.len() - after.trim_start_matches(' ').len();
            }
            _ => return line.len() - rest.len(),
        }
    }
}
