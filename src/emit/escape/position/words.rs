//! The lexer of formats made of words: white space, delimiters, quotes, comments, and here-documents of HCL.

use super::super::{Context, Form, Format, Inner};
use super::rules::{At, Inside, Rules, rules};
use super::{VALUE, Violation, embedded, embedded_delimiter};

/// Where the lexer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    format: Format,
    mode: Mode,
    /// The current line so far, with a mark for each value.
    line: String,
    /// The last thing read was a value; what it must be followed by depends on the place.
    behind: Option<Behind>,
    /// Depth of parentheses, for exports.
    parentheses: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behind {
    Token,
    Embedded(Inner),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Mode {
    Plain,
    /// `run` closes it: one quote, or three of TOML. `escapes` inside it are skipped.
    Quote {
        run: String,
        inside: Inside,
    },
    Comment,
    Block {
        close: &'static str,
    },
    /// Text between `$tag$` of SQL.
    Dollar {
        tag: String,
    },
    Heredoc {
        end: String,
    },
}

impl Words {
    pub(super) fn new(format: Format) -> Self {
        Self { format, mode: Mode::Plain, line: String::new(), behind: None, parentheses: 0 }
    }

    pub(super) fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        let rules = rules(self.format);
        let mut result = Ok(());
        if let (Some(behind), Some(c)) = (self.behind, literal.chars().next()) {
            self.behind = None;
            let fits = match behind {
                Behind::Token => rules.ends_token(c),
                Behind::Embedded(inner) => embedded_delimiter(inner, c),
            };
            if !fits {
                result = Err(Violation::touching(c, "behind"));
            }
        }
        let mut rest = literal;
        while !rest.is_empty() {
            let taken = self.step(&rules, rest);
            debug_assert!(taken > 0 && rest.is_char_boundary(taken));
            let (text, after) = rest.split_at(taken);
            match text.rfind('\n') {
                Some(newline) => {
                    self.line.clear();
                    self.line.push_str(&text[newline + 1..]);
                }
                None => self.line.push_str(text),
            }
            rest = after;
        }
        result
    }

    /// Reads at least one character of `rest` and returns how many bytes it took.
    fn step(&mut self, rules: &Rules, rest: &str) -> usize {
        let first = rest.chars().next().map_or(1, char::len_utf8);
        match &self.mode {
            Mode::Plain => self.plain(rules, rest),
            Mode::Comment => {
                if rest.starts_with('\n') {
                    self.mode = Mode::Plain;
                }
                first
            }
            Mode::Block { close } => {
                let close = *close;
                self.until(rest, close)
            }
            Mode::Dollar { tag } => {
                let tag = tag.clone();
                self.until(rest, &tag)
            }
            Mode::Quote { run, inside } => {
                let (escape, doubled) = match inside {
                    Inside::Backslash => (Some('\\'), false),
                    Inside::Doubled => (None, true),
                    Inside::Backtick => (Some('`'), true),
                    Inside::Never => (None, false),
                };
                let run = run.clone();
                if escape.is_some_and(|e| rest.starts_with(e)) {
                    return first + rest[first..].chars().next().map_or(0, char::len_utf8);
                }
                if doubled && rest.starts_with(&run.repeat(2)) {
                    return 2 * run.len();
                }
                self.until(rest, &run)
            }
            Mode::Heredoc { end } => {
                let end = end.clone();
                if rest.starts_with('\n') && self.line.trim() == end {
                    self.mode = Mode::Plain;
                }
                first
            }
        }
    }

    /// One character, or the end mark, which leads back to plain text.
    fn until(&mut self, rest: &str, end: &str) -> usize {
        if rest.starts_with(end) {
            self.mode = Mode::Plain;
            end.len()
        } else {
            rest.chars().next().map_or(1, char::len_utf8)
        }
    }

    fn plain(&mut self, rules: &Rules, rest: &str) -> usize {
        let line_start = self.line.trim().is_empty();
        let word_start = self.line.chars().next_back().is_none_or(|c| rules.begins_token(c));
        for (mark, at) in rules.comments {
            let counts = match at {
                At::Anywhere => true,
                At::LineStart => line_start,
                At::WordStart => word_start,
            };
            if counts && rest.starts_with(mark) {
                self.mode = Mode::Comment;
                return mark.len();
            }
        }
        for (open, close) in rules.block_comments {
            if rest.starts_with(open) {
                self.mode = Mode::Block { close };
                return open.len();
            }
        }
        for (quote, inside) in rules.quotes {
            if rest.starts_with(*quote) && (word_start || !rules.quotes_begin_words) {
                let three = quote.to_string().repeat(3);
                let run =
                    if self.format == Format::Toml && rest.starts_with(&three) { three } else { quote.to_string() };
                // `E'it\'s'` of SQL knows backslashes.
                let extended = self.format == Format::Sql && *quote == '\'' && self.line.ends_with(['E', 'e']);
                let length = run.len();
                self.mode = Mode::Quote { run, inside: if extended { Inside::Backslash } else { *inside } };
                return length;
            }
        }
        if self.format == Format::Sql
            && rest.starts_with('$')
            && !self.line.ends_with(char::is_alphanumeric)
            && let Some(tag) = dollar_tag(rest)
        {
            let length = tag.len();
            self.mode = Mode::Dollar { tag };
            return length;
        }
        if self.format == Format::Hcl
            && rest.starts_with('\n')
            && let Some(end) = heredoc_end(&self.line)
        {
            self.mode = Mode::Heredoc { end };
        }
        match rest.chars().next() {
            Some('\n') => {
                self.parentheses = if self.line.ends_with('\\') { self.parentheses } else { 0 };
                1
            }
            Some('(') => {
                self.parentheses += 1;
                1
            }
            Some(')') => {
                self.parentheses = self.parentheses.saturating_sub(1);
                1
            }
            c => c.map_or(1, char::len_utf8),
        }
    }

    pub(super) fn interpolation(&mut self, context: Context, next: &str) -> Result<Option<Context>, Violation> {
        let touching = self.behind.is_some();
        let found = self.place(context, next, touching)?;
        self.behind = match found {
            Some(Context::By(_)) => Some(Behind::Token),
            Some(Context::OpenHeredoc(inner)) => Some(Behind::Embedded(inner)),
            _ => None,
        };
        self.line.push(VALUE);
        Ok(found)
    }

    fn place(&self, context: Context, next: &str, touching: bool) -> Result<Option<Context>, Violation> {
        match &self.mode {
            Mode::Comment | Mode::Block { .. } => match context {
                Context::Comment => Ok(Some(Context::Comment)),
                _ => Err(Violation::inside("a comment", "write `<{ x|comment }>`")),
            },
            Mode::Quote { run, .. } => {
                Err(Violation::inside(&format!("`{run}` quotes"), "leave the quotes out; the value brings its own"))
            }
            Mode::Dollar { tag } => {
                Err(Violation::inside(&format!("`{tag}` quotes"), "no value can be written safely into a quoted body"))
            }
            Mode::Heredoc { .. } => match context {
                Context::Heredoc(inner) => {
                    embedded(&self.line, inner)?;
                    Ok(Some(Context::OpenHeredoc(inner)))
                }
                _ => Err(Violation::inside("a here-document", "write `<{ x|heredoc }>`")),
            },
            Mode::Plain => self.token(context, next, touching),
        }
    }

    fn token(&self, context: Context, next: &str, touching: bool) -> Result<Option<Context>, Violation> {
        let Context::By(form) = context else {
            return Ok(None);
        };
        let rules = rules(self.format);
        if touching && !rules.free {
            return Err(Violation::touching(VALUE, "before"));
        }
        let before = self.line.chars().next_back();
        if let Some(c) = before.filter(|c| !rules.begins_token(*c)) {
            return Err(Violation::touching(c, "before"));
        }
        let form = match self.format {
            Format::Fstab => self.fstab(form, before),
            Format::Exports => self.exports(form),
            Format::Systemd => self.systemd(form, next),
            Format::Nginx if before == Some('=') => Some(Form::Bare),
            Format::Sql if form == Form::Token => {
                return Err(Violation::new(
                    "SQL cannot tell whether the interpolation is a name or a text",
                    "write `<{ x|ident }>` or `<{ x|literal }>`",
                ));
            }
            Format::Json if next.trim_start().starts_with(':') => Some(Form::Key),
            _ => Some(form),
        };
        // A form that the format does not have is written as a token by its escaper; code belongs to Markdown alone.
        Ok(form.filter(|f| !matches!(f, Form::Code)).map(Context::By))
    }

    /// The fourth field of fstab holds options.
    fn fstab(&self, form: Form, before: Option<char>) -> Option<Form> {
        let begun = self.line.split_whitespace().count();
        let field = if before.is_none_or(char::is_whitespace) { begun + 1 } else { begun };
        matches!(form, Form::Token).then_some(if field == 4 { Form::Option } else { Form::Token })
    }

    /// Path, then clients, each with options in parentheses.
    fn exports(&self, form: Form) -> Option<Form> {
        if form != Form::Token {
            return None;
        }
        Some(match self.line.trim().is_empty() {
            _ if self.parentheses > 0 => Form::Option,
            true => Form::Token,
            false => Form::Client,
        })
    }

    /// What a value of a unit means depends on its setting.
    fn systemd(&self, form: Form, next: &str) -> Option<Form> {
        if form == Form::Line {
            return Some(form);
        }
        let head = self.line.trim_start();
        if head.is_empty() || head == "[" {
            return (next.starts_with('=') || head == "[").then_some(Form::Key);
        }
        let (key, value) = head.split_once('=')?;
        let first = value.trim().is_empty();
        Some(match key {
            "Description" | "What" | "Where" | "Options" => Form::Line,
            k if k.starts_with("Exec") && first => Form::Program,
            k if k.starts_with("Exec") => Form::Exec,
            "Environment" => Form::Word,
            // A setting whose name is itself a value: one text up to the end of the line.
            k if k.contains(VALUE) => Form::Line,
            _ => Form::Bare,
        })
    }
}

/// `$tag$` at the beginning of a text.
fn dollar_tag(rest: &str) -> Option<String> {
    let end = rest[1..].find('$')? + 2;
    let tag = &rest[..end];
    tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_').then(|| tag.to_string())
}

/// The end mark of a here-document that a line of HCL opens.
fn heredoc_end(line: &str) -> Option<String> {
    let (_, mark) = line.trim_end().rsplit_once("<<")?;
    let mark = mark.trim_start_matches('-');
    (!mark.is_empty() && mark.chars().all(|c| c.is_alphanumeric() || c == '_')).then(|| mark.to_string())
}
