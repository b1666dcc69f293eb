//! From the literal text of a template, in order, to the context in which each of its interpolations stands.
//!
//! A [`Lexer`] follows one way through a template. The loader feeds it the literal text (as it comes out after trimming)
//! and asks it at each interpolation; what follows an interpolation is judged by the next [`Lexer::feed`]. Branches are
//! followed by [`Ways`]: clone before each branch, [`Ways::join`] behind the last one, and walk the body of a loop twice,
//! so that its end is seen to meet its head. Text that a macro or a call brings is already written: walk the macro's body
//! with a lexer of its own, and pass over the call.
//!
//! The whole-token rule: no text and no quotes touch an interpolation, except for what delimits tokens in the format.

mod html;
mod markdown;
mod rules;
mod shell;
mod words;
mod yaml;

use super::{Context, Form, Format, Inner};

/// Stands for a value in the text that lexers remember.
const VALUE: char = '\u{fffc}';

/// An interpolation, or the text next to it, breaks the whole-token rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Byte offset in the text just fed; 0 for an interpolation.
    pub offset: usize,
    /// Stands alone, in the manner of a finding.
    pub message: String,
    pub help: String,
}

impl Violation {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { offset: 0, message: message.into(), help: help.into() }
    }

    fn touching(what: char, side: &str) -> Self {
        Self::new(
            format!("`{}` touches the interpolation {side} it", what.escape_debug()),
            "compose the whole token inside the interpolation: `<{ a ~ ':' ~ b }>`",
        )
    }

    fn inside(place: &str, help: impl Into<String>) -> Self {
        Self::new(format!("the interpolation stands inside {place}"), help)
    }

    fn wrong_filter(context: Context, format: Format) -> Self {
        Self::new(
            format!("the filter `{}` does not fit this place in {}", context.filter(), format.name()),
            "leave the filter out, or name the place that the interpolation stands in",
        )
    }

    fn at(mut self, offset: usize) -> Self {
        self.offset = offset;
        self
    }
}

/// Follows one way through a template's literal text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lexer {
    format: Format,
    state: State,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Words(words::Words),
    Shell(shell::Shell),
    Yaml(yaml::Yaml),
    Markdown(markdown::Markdown),
    Html(html::Html),
}

impl Lexer {
    /// At the beginning of an artifact, or of a macro that writes whole lines.
    pub fn new(format: Format) -> Self {
        let state = match format {
            Format::Yaml | Format::Compose => State::Yaml(yaml::Yaml::default()),
            Format::Shell => State::Shell(shell::Shell::default()),
            Format::Markdown => State::Markdown(markdown::Markdown::default()),
            Format::Html => State::Html(html::Html::default()),
            other => State::Words(words::Words::new(other)),
        };
        Self { format, state }
    }

    /// Goes on over literal text. Fails when the text touches the interpolation before it.
    ///
    /// After a failure the lexer has still read all of the text.
    pub fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        match &mut self.state {
            State::Words(s) => s.feed(literal),
            State::Shell(s) => s.feed(literal),
            State::Yaml(s) => s.feed(literal),
            State::Markdown(s) => s.feed(literal),
            State::Html(s) => s.feed(literal),
        }
    }

    /// Whether inline code of Markdown is open.
    fn in_code(&mut self) -> bool {
        match &mut self.state {
            State::Markdown(s) => s.in_code(),
            _ => false,
        }
    }

    /// Goes on over an interpolation whose author chose `context` ([`Context::TOKEN`] without a filter).
    ///
    /// `next` is the literal text directly behind it as far as the loader knows it; it decides between a key and a value.
    /// The result is the context for [`super::escape`].
    pub fn interpolation(&mut self, context: Context, next: &str) -> Result<Context, Violation> {
        let found = match &mut self.state {
            State::Words(s) => s.interpolation(context, next),
            State::Shell(s) => s.interpolation(context),
            State::Yaml(s) => s.interpolation(context, next),
            State::Markdown(s) => s.interpolation(context),
            State::Html(s) => s.interpolation(context),
        }?;
        match found {
            Some(context) => Ok(context),
            None => Err(Violation::wrong_filter(context, self.format)),
        }
    }
}

/// The contexts of the values in a text that a pack composes of literals (`Some`) and values (`None`), such as a command
/// of a runbook. Values between backticks of Markdown are allowed here: [`Form::InCode`].
pub fn contexts<'a>(
    format: Format,
    parts: impl IntoIterator<Item = Option<&'a str>>,
) -> Result<Vec<Context>, Violation> {
    let mut lexer = Lexer::new(format);
    let mut contexts = Vec::new();
    let mut parts = parts.into_iter().peekable();
    while let Some(part) = parts.next() {
        match part {
            Some(literal) => lexer.feed(literal)?,
            None if lexer.in_code() => contexts.push(Context::By(Form::InCode)),
            None => contexts.push(lexer.interpolation(Context::TOKEN, parts.peek().copied().flatten().unwrap_or(""))?),
        }
    }
    Ok(contexts)
}

/// Checks the line of an embedded place up to an interpolation with the embedded format's own lexer.
fn embedded(line: &str, inner: Inner) -> Result<(), Violation> {
    let Some((format, form)) = inner else {
        return Ok(());
    };
    let mut lexer = Lexer::new(format);
    let mut parts = line.split(VALUE);
    let _ = lexer.feed(parts.next().unwrap_or(""));
    for part in parts {
        // Earlier values of the line have been judged already.
        let _ = lexer.interpolation(Context::By(Form::Token), part);
        let _ = lexer.feed(part);
    }
    lexer.interpolation(Context::By(form), "").map(|_| ())
}

/// Whether text may follow a token of an embedded format directly.
fn embedded_delimiter(inner: Inner, c: char) -> bool {
    inner.is_none_or(|(format, _)| rules::rules(format).ends_token(c))
}

/// All ways through a template up to one point, each once.
#[derive(Clone, Debug)]
pub struct Ways(Vec<Lexer>);

/// More ways than this are cut: branches that differ on one line in so many manners are beyond review anyway.
const WAYS_MAX: usize = 64;

impl Ways {
    pub fn new(format: Format) -> Self {
        Ways(vec![Lexer::new(format)])
    }

    /// The beginning of a text of the same format.
    pub fn fresh(&self) -> Self {
        Ways(self.0.first().map(|lexer| Lexer::new(lexer.format)).into_iter().collect())
    }

    /// [`Lexer::feed`] on every way; the first violation.
    pub fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        let mut result = Ok(());
        for lexer in &mut self.0 {
            result = result.and(lexer.feed(literal));
        }
        self.unite();
        result
    }

    /// [`Lexer::interpolation`] on every way; a violation when the ways disagree about the context.
    pub fn interpolation(&mut self, context: Context, next: &str) -> Result<Context, Violation> {
        let mut found: Option<Context> = None;
        for lexer in &mut self.0 {
            let one = lexer.interpolation(context, next)?;
            if found.is_some_and(|f| f != one) {
                return Err(Violation::new(
                    "the interpolation stands in different places, depending on the branch taken before it",
                    "write the interpolation inside each branch",
                ));
            }
            found = Some(one);
        }
        self.unite();
        found.ok_or_else(|| Violation::new("no way leads to this interpolation", "remove it"))
    }

    /// Behind a branch: goes on from where either way ended.
    pub fn join(&mut self, other: Ways) {
        self.0.extend(other.0);
        self.unite();
    }

    fn unite(&mut self) {
        let mut once: Vec<Lexer> = Vec::with_capacity(self.0.len());
        for lexer in self.0.drain(..) {
            if once.len() < WAYS_MAX && !once.contains(&lexer) {
                once.push(lexer);
            }
        }
        self.0 = once;
    }
}

#[cfg(test)]
mod tests;
