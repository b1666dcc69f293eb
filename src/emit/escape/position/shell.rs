//! The lexer of shell scripts: nested quotes and substitutions, comments, here-documents.

use super::super::{Context, Form, Format, Inner};
use super::rules::rules;
use super::{VALUE, Violation, embedded, embedded_delimiter};

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Shell {
    /// From the outside in; empty at the top level.
    nest: Vec<Nest>,
    line: String,
    /// Here-documents that the current line has opened, in order.
    pending: Vec<Heredoc>,
    heredoc: Option<Heredoc>,
    comment: bool,
    behind: Option<Inner>,
    /// The value before must be followed by a delimiter of the shell.
    behind_word: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Nest {
    Single,
    /// `$'…'`
    Ansi,
    Double,
    Backtick,
    /// `${…}`
    Brace,
    /// `$(…)` or `(…)`
    Parenthesis,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Heredoc {
    end: String,
    /// Whether variables are expanded in it.
    open: bool,
    /// `<<-`: tabs before the end mark are dropped.
    tabs: bool,
}

impl Shell {
    pub(super) fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        let mut result = Ok(());
        if let Some(c) = literal.chars().next() {
            let fits = if std::mem::take(&mut self.behind_word) {
                rules(Format::Shell).ends_token(c)
            } else {
                self.behind.take().is_none_or(|inner| embedded_delimiter(inner, c))
            };
            if !fits {
                result = Err(Violation::touching(c, "behind"));
            }
        }
        let mut rest = literal;
        while let Some(c) = rest.chars().next() {
            let taken = self.step(c, rest).max(c.len_utf8());
            if c == '\n' {
                self.line.clear();
            } else {
                self.line.push_str(&rest[..taken]);
            }
            rest = &rest[taken..];
        }
        result
    }

    /// Reads from `rest`, which begins with `c`, and returns how many bytes it took (0 for that one character).
    fn step(&mut self, c: char, rest: &str) -> usize {
        if let Some(heredoc) = &self.heredoc {
            let line = if heredoc.tabs { self.line.trim_start_matches('\t') } else { &self.line };
            if c == '\n' && line == heredoc.end {
                self.heredoc = None;
                self.next_heredoc();
            }
            return 0;
        }
        if c == '\n' {
            self.comment = false;
            self.next_heredoc();
            return 0;
        }
        if self.comment {
            return 0;
        }
        let escaped = || 1 + rest[1..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        match self.nest.last() {
            Some(Nest::Single) => {
                if c == '\'' {
                    self.nest.pop();
                }
                0
            }
            Some(Nest::Ansi) => match c {
                '\\' => escaped(),
                '\'' => {
                    self.nest.pop();
                    0
                }
                _ => 0,
            },
            Some(Nest::Double) => match c {
                '\\' => escaped(),
                '"' => {
                    self.nest.pop();
                    0
                }
                '`' => self.open(Nest::Backtick, 1),
                '$' => self.dollar(rest, true),
                _ => 0,
            },
            _ => self.plain(c, rest),
        }
    }

    fn plain(&mut self, c: char, rest: &str) -> usize {
        let top = self.nest.last().copied();
        match c {
            '\\' => 1 + rest[1..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8),
            '\'' => self.open(Nest::Single, 1),
            '"' => self.open(Nest::Double, 1),
            '$' => self.dollar(rest, false),
            '`' if top == Some(Nest::Backtick) => self.close(),
            '`' => self.open(Nest::Backtick, 1),
            '}' if top == Some(Nest::Brace) => self.close(),
            '(' => self.open(Nest::Parenthesis, 1),
            // The `)` of a `case` pattern has no partner; it leaves the top level alone.
            ')' if top == Some(Nest::Parenthesis) => self.close(),
            '#' if self.line.chars().next_back().is_none_or(|b| b.is_whitespace() || ";&|()".contains(b)) => {
                self.comment = top != Some(Nest::Brace);
                0
            }
            '<' if rest.starts_with("<<")
                && !rest.starts_with("<<<")
                && !self.line.ends_with('<')
                && !self.line.contains("((") =>
            {
                if let Some((heredoc, taken)) = opening(rest) {
                    self.pending.push(heredoc);
                    return taken;
                }
                0
            }
            _ => 0,
        }
    }

    fn dollar(&mut self, rest: &str, quoted: bool) -> usize {
        match rest[1..].chars().next() {
            Some('(') => self.open(Nest::Parenthesis, 2),
            Some('{') => self.open(Nest::Brace, 2),
            Some('\'') if !quoted => self.open(Nest::Ansi, 2),
            _ => 0,
        }
    }

    fn open(&mut self, nest: Nest, taken: usize) -> usize {
        self.nest.push(nest);
        taken
    }

    fn close(&mut self) -> usize {
        self.nest.pop();
        0
    }

    fn next_heredoc(&mut self) {
        if !self.pending.is_empty() {
            self.heredoc = Some(self.pending.remove(0));
        }
    }

    pub(super) fn interpolation(&mut self, context: Context) -> Result<Option<Context>, Violation> {
        let touching = self.behind_word;
        self.behind = None;
        let found = self.place(context, touching)?;
        self.behind_word = matches!(found, Some(Context::By(_)));
        if let Some(Context::Heredoc(inner) | Context::OpenHeredoc(inner)) = found {
            self.behind = Some(inner);
        }
        self.line.push(VALUE);
        Ok(found)
    }

    fn place(&self, context: Context, touching: bool) -> Result<Option<Context>, Violation> {
        if let Some(heredoc) = &self.heredoc {
            return self.in_heredoc(heredoc, context);
        }
        if self.comment {
            return match context {
                Context::Comment => Ok(Some(context)),
                _ => Err(Violation::inside("a comment", "write `<{ x|comment }>`")),
            };
        }
        const HELP: &str = "set a variable to the value on a line of its own, and use that variable here";
        if self.nest.contains(&Nest::Backtick) {
            return Err(Violation::inside("backticks", "use `$(…)` instead of backticks"));
        }
        // A substitution inside quotes begins anew, so only the innermost place counts.
        match self.nest.last() {
            None | Some(Nest::Parenthesis) => {}
            Some(Nest::Brace) => return Err(Violation::inside("`${}`", HELP)),
            Some(_) => return Err(Violation::inside("quotes", "leave the quotes out; the value brings its own")),
        }
        let Context::By(form) = context else {
            return Ok(None);
        };
        let before = self.line.chars().next_back();
        if touching {
            return Err(Violation::touching(VALUE, "before"));
        }
        if let Some(c) = before.filter(|c| !rules(Format::Shell).begins_token(*c)) {
            return Err(Violation::touching(c, "before"));
        }
        Ok(match form {
            // Behind `=` a leading dash is part of a value already.
            Form::Token if before == Some('=') => Some(Context::By(Form::Literal)),
            Form::Token | Form::Literal | Form::Ident => Some(context),
            _ => None,
        })
    }

    fn in_heredoc(&self, heredoc: &Heredoc, context: Context) -> Result<Option<Context>, Violation> {
        let Context::Heredoc(inner) = context else {
            return Err(Violation::inside("a here-document", "write `<{ x|heredoc }>`"));
        };
        let line = self.line.trim_start_matches('\t');
        if line.is_empty() && !heredoc.end.starts_with("EOF") && !heredoc.end.starts_with("EOT") {
            return Err(Violation::new(
                format!("the interpolation begins a line of a here-document that ends with `{}`", heredoc.end),
                "end the here-document with `EOF` or `EOT`, which no value may equal",
            ));
        }
        if !line.is_empty() && heredoc.end.starts_with(line) {
            return Err(Violation::new(
                "the text before the interpolation begins like the end of the here-document",
                "choose another end mark",
            ));
        }
        embedded(&self.line, inner)?;
        Ok(Some(if heredoc.open { Context::OpenHeredoc(inner) } else { Context::Heredoc(inner) }))
    }
}

/// Reads `<<EOF`, `<<-'EOF'` and the like; how many bytes it takes.
fn opening(rest: &str) -> Option<(Heredoc, usize)> {
    let mark = &rest[2..];
    let (tabs, mark) = match mark.strip_prefix('-') {
        Some(mark) => (true, mark),
        None => (false, mark),
    };
    let mark = mark.trim_start_matches([' ', '\t']);
    let before = rest.len() - mark.len();
    let name = |text: &str| match text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        false => 0,
        true => text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len()),
    };
    for quote in ['\'', '"'] {
        if let Some(body) = mark.strip_prefix(quote) {
            let length = name(body);
            let closed = length > 0 && body[length..].starts_with(quote);
            return closed.then(|| (Heredoc { end: body[..length].into(), open: false, tabs }, before + length + 2));
        }
    }
    let length = name(mark);
    (length > 0).then(|| (Heredoc { end: mark[..length].into(), open: true, tabs }, before + length))
}
