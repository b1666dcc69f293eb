//! The lexer of HTML: text, tags with their attributes, comments, scripts and styles.

use super::super::{Context, Form};
use super::{VALUE, Violation};

#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(super) struct Html {
    mode: Mode,
    /// Since the mode began, in lower case; bounded outside of tags.
    seen: String,
    behind_attribute: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Default)]
enum Mode {
    #[default]
    Text,
    /// Behind `<`, outside of quotes.
    Tag,
    Quote(char),
    Comment,
    /// In an element whose content is no text: its name.
    Raw(&'static str),
}

/// Elements whose content follows another language's rules.
const RAW: &[&str] = &["script", "style", "textarea", "title", "iframe", "noscript", "xmp"];

impl Html {
    pub(super) fn feed(&mut self, literal: &str) -> Result<(), Violation> {
        let mut result = Ok(());
        if let Some(c) = literal.chars().next()
            && std::mem::take(&mut self.behind_attribute)
            && !matches!(c, ' ' | '\n' | '\t' | '>' | '/')
        {
            result = Err(Violation::touching(c, "behind"));
        }
        for c in literal.chars() {
            self.read(c.to_ascii_lowercase());
        }
        result
    }

    fn read(&mut self, c: char) {
        match &self.mode {
            Mode::Text => {
                if c == '<' {
                    self.enter(Mode::Tag);
                }
                return;
            }
            Mode::Tag => match c {
                '"' | '\'' => self.mode = Mode::Quote(c),
                '>' => return self.end_tag(),
                _ => {}
            },
            Mode::Quote(quote) if c == *quote => self.mode = Mode::Tag,
            Mode::Quote(_) => {}
            Mode::Comment | Mode::Raw(_) => {}
        }
        self.seen.push(c);
        match &self.mode {
            Mode::Tag if self.seen == "!--" => self.enter(Mode::Comment),
            Mode::Comment if self.seen.ends_with("-->") => self.enter(Mode::Text),
            Mode::Raw(name) if self.seen.ends_with(&format!("</{name}")) => {
                let name = format!("/{name}");
                self.enter(Mode::Tag);
                self.seen = name;
            }
            Mode::Comment | Mode::Raw(_) => {
                let surplus = self.seen.chars().count().saturating_sub(12);
                self.seen = self.seen.chars().skip(surplus).collect();
            }
            _ => {}
        }
    }

    fn enter(&mut self, mode: Mode) {
        self.mode = mode;
        self.seen.clear();
    }

    fn end_tag(&mut self) {
        let name = self.seen.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or("");
        let raw = RAW.iter().find(|r| **r == name).copied();
        self.enter(raw.map_or(Mode::Text, Mode::Raw));
    }

    pub(super) fn interpolation(&mut self, context: Context) -> Result<Option<Context>, Violation> {
        let found = match (&self.mode, context) {
            (Mode::Comment, Context::Comment) => Some(context),
            (Mode::Comment, _) => return Err(Violation::inside("a comment", "write `<{ x|comment }>`")),
            (Mode::Raw("title" | "textarea") | Mode::Text, Context::By(_)) => Some(Context::TOKEN),
            (Mode::Raw(name), _) => {
                let place = format!("`<{name}>`");
                return Err(Violation::inside(
                    &place,
                    "put the value into an attribute or a text and read it from there",
                ));
            }
            (Mode::Quote(_), _) => {
                return Err(Violation::inside("quotes", "leave the quotes out; the value brings its own"));
            }
            (Mode::Tag, Context::By(_)) => Some(self.attribute()?),
            _ => None,
        };
        self.behind_attribute = self.mode == Mode::Tag;
        if self.mode != Mode::Text {
            self.seen.push(VALUE);
        }
        Ok(found)
    }

    /// The value of an attribute, by the attribute's name.
    fn attribute(&self) -> Result<Context, Violation> {
        let Some(before) = self.seen.strip_suffix('=').filter(|_| !self.behind_attribute) else {
            return Err(Violation::inside("a tag", "write it as the value of an attribute: `title=<{ x }>`"));
        };
        let name = before.rsplit(|c: char| c.is_whitespace()).next().unwrap_or("");
        match name {
            n if n.starts_with("on") || matches!(n, "style" | "srcdoc" | "srcset") => {
                Err(Violation::inside(&format!("the attribute `{n}`"), "its value is code; use another attribute"))
            }
            "href" | "src" | "action" | "formaction" | "cite" | "data" | "poster" | "xlink:href" => {
                Ok(Context::By(Form::Url))
            }
            _ => Ok(Context::By(Form::Attribute)),
        }
    }
}
