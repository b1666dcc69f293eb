//! From a value, a format and a place in it to the text that stands for the value there, or the reason why none can.
//!
//! A template author writes `<{ x }>` for a whole token of the format. Where that is not enough, the outermost filter
//! names the place:
//!
//! | filter | place | formats |
//! |---|---|---|
//! | none | a whole token: scalar, word, field, cell, element text | all but sql |
//! | `literal` | text in the format's quotes, never a keyword, an option or a name | sql, nft, iptables, shell, nginx, ini; elsewhere as a token |
//! | `ident` | a name: table, role, chain, variable | sql, shell, nft, iptables; elsewhere as a token |
//! | `line` | the rest of the line, blanks included | ini, systemd, text |
//! | `code` | inline code, backticks included | markdown |
//! | `flow` | a list or a map on one line | yaml, compose, json |
//! | `comment` | inside a comment | all that have comments |
//! | `block` | a line of a block scalar | yaml, compose |
//! | `heredoc` | a line of a here-document | shell, hcl |
//! | `fence` | a line of a code fence | markdown |
//!
//! `block`, `heredoc` and `fence` take the format of what they hold, and its form: `fence('shell')`,
//! `block('sql', 'ident')`; without it they hold plain text. `cell` and `word` say the same as no filter.
//!
//! Forms that depend on the neighbourhood (the key of a map, an option of an export, a word of a unit's command line)
//! are found by [`position::Lexer`], which hands out the context to escape with.

mod csv;
mod embedded;
mod exports;
mod fstab;
mod hcl;
mod html;
mod ini;
mod iptables;
mod json;
mod markdown;
mod nft;
mod nginx;
mod pghba;
pub mod position;
mod powershell;
mod refusal;
mod shell;
mod sql;
mod systemd;
mod text;
mod toml;
pub mod yaml;

pub use refusal::Refusal;

use crate::value::Value;

macro_rules! formats {
    ($($variant:ident $name:literal $comment:expr, $($alias:literal)*;)*) => {
        /// A format that artifacts are written in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format { $($variant),* }

        impl Format {
            /// Every format, in the order of [`Format::NAMES`].
            pub const ALL: &'static [Format] = &[$(Format::$variant),*];
            /// The name of every format, without the other names that [`Format::from_name`] knows.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// Finds a format by the name that `pack.toml` uses.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name $(| $alias)* => Some(Format::$variant),)*
                    _ => None,
                }
            }

            pub fn name(self) -> &'static str {
                match self { $(Format::$variant => $name),* }
            }

            /// What opens and what closes a comment that fills a line; `None` where the format has no comments.
            pub fn comment(self) -> Option<(&'static str, &'static str)> {
                match self { $(Format::$variant => $comment),* }
            }
        }
    };
}

formats! {
    Yaml "yaml" Some(("# ", "")), "yml";
    Compose "compose" Some(("# ", "")), "stack";
    Json "json" None, ;
    Toml "toml" Some(("# ", "")), ;
    Ini "ini" Some(("# ", "")), "conf" "chrony" "pgbouncer" "nfs.conf" "sysctl" "hosts";
    Shell "shell" Some(("# ", "")), "sh" "bash";
    Powershell "powershell" Some(("# ", "")), "ps1";
    Sql "sql" Some(("-- ", "")), ;
    PgHba "pg_hba" Some(("# ", "")), "pghba";
    Fstab "fstab" Some(("# ", "")), ;
    Exports "exports" Some(("# ", "")), ;
    Nginx "nginx" Some(("# ", "")), ;
    Nft "nft" Some(("# ", "")), "nftables";
    Iptables "iptables" Some(("# ", "")), "ip6tables";
    Systemd "systemd" Some(("# ", "")), "unit";
    Hcl "hcl" Some(("# ", "")), "terraform";
    Csv "csv" None, ;
    Markdown "markdown" Some(("<!-- ", " -->")), "md";
    Html "html" Some(("<!-- ", " -->")), "xml";
    Text "text" None, "txt" "list";
}

/// How a value is written when it stands by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// A whole token; what a bare `<{ x }>` means.
    Token,
    /// Text in the format's quotes.
    Literal,
    /// A name of something in the format.
    Ident,
    /// The rest of a line.
    Line,
    /// Inline code of Markdown with its backticks.
    Code,
    /// A list or a map on one line.
    Flow,
    /// Found by position: the key of a map, a setting or a section.
    Key,
    /// Found by position: next to text that keeps it from being quoted.
    Bare,
    /// Found by position: one option of a list separated by commas, or such a list.
    Option,
    /// Found by position: who may mount an export.
    Client,
    /// Found by position: one word of a unit's list or environment.
    Word,
    /// Found by position: one word of a unit's command line.
    Exec,
    /// Found by position: the first word of a unit's command line.
    Program,
    /// Found by position: an attribute of an element, quotes included.
    Attribute,
    /// Found by position: an attribute or a link's destination that is followed.
    Url,
    /// Found by position: inline code in a table's cell.
    CodeCell,
    /// Found by position: between backticks that the text around it has.
    InCode,
}

/// What an embedded place holds: plain text, or a token of another format.
pub type Inner = Option<(Format, Form)>;

/// Where an interpolation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// By itself.
    By(Form),
    /// In a comment.
    Comment,
    /// On a line of a block scalar.
    Block(Inner),
    /// On a line of a here-document with a quoted delimiter.
    Heredoc(Inner),
    /// Found by position: on a line of a here-document that expands variables.
    OpenHeredoc(Inner),
    /// On a line of a code fence.
    Fence(Inner),
}

impl Context {
    /// A whole token, the context of an interpolation without a context filter.
    pub const TOKEN: Context = Context::By(Form::Token);

    /// The names of the filters that choose a context.
    pub const FILTERS: &'static [&'static str] =
        &["literal", "ident", "line", "code", "cell", "word", "flow", "comment", "block", "heredoc", "fence"];

    /// The context that an outermost filter chooses; `None` when it is no such filter.
    ///
    /// `arguments` are the filter's literal strings. Errors say what is wrong with them.
    pub fn from_filter(name: &str, arguments: &[&str]) -> Option<Result<Self, String>> {
        let simple = match name {
            "literal" => Context::By(Form::Literal),
            "ident" => Context::By(Form::Ident),
            "line" => Context::By(Form::Line),
            "code" => Context::By(Form::Code),
            "cell" | "word" => Context::TOKEN,
            "flow" => Context::By(Form::Flow),
            "comment" => Context::Comment,
            "block" => return Some(inner(name, arguments).map(Context::Block)),
            "heredoc" => return Some(inner(name, arguments).map(Context::Heredoc)),
            "fence" => return Some(inner(name, arguments).map(Context::Fence)),
            _ => return None,
        };
        Some(match arguments {
            [] => Ok(simple),
            _ => Err(format!("the filter `{name}` takes no arguments")),
        })
    }

    /// How a template author writes it, for messages.
    pub fn filter(self) -> &'static str {
        match self {
            Context::By(Form::Literal) => "literal",
            Context::By(Form::Ident) => "ident",
            Context::By(Form::Line) => "line",
            Context::By(Form::Code | Form::CodeCell) => "code",
            Context::By(Form::Flow) => "flow",
            Context::By(_) => "cell",
            Context::Comment => "comment",
            Context::Block(_) => "block",
            Context::Heredoc(_) | Context::OpenHeredoc(_) => "heredoc",
            Context::Fence(_) => "fence",
        }
    }
}

/// Reads the arguments of `block`, `heredoc` and `fence`: nothing, a format, or a format and a form.
fn inner(filter: &str, arguments: &[&str]) -> Result<Inner, String> {
    let format = |name: &str| Format::from_name(name).ok_or_else(|| format!("there is no format `{name}`"));
    match arguments {
        [] => Ok(None),
        [name] => Ok(Some((format(name)?, Form::Token))),
        [name, form] => {
            let form = match Context::from_filter(form, &[]) {
                Some(Ok(Context::By(form))) => form,
                _ => {
                    return Err(format!(
                        "`{form}` is not one of `literal`, `ident`, `line`, `code`, `flow`, `cell`, `word`"
                    ));
                }
            };
            Ok(Some((format(name)?, form)))
        }
        _ => Err(format!("the filter `{filter}` takes a format and a form")),
    }
}

/// Writes a value at a place of a format.
///
/// `context` is what [`position::Lexer::interpolation`] returned for the place. Nothing ([`Value::Null`]) and faulty
/// values are refused; lists only have a form where the format has one for them (options, words of a script, sets of
/// nft, `flow`), maps only in `flow`.
pub fn escape(format: Format, context: Context, value: &Value) -> Result<String, Refusal> {
    match value {
        Value::Null => return Err(Refusal::nothing()),
        Value::Poison => return Err(Refusal::faulty()),
        _ => {}
    }
    match context {
        Context::By(form) => by_form(format, form, value),
        Context::Comment => embedded::comment(format, value),
        Context::Block(inner) => embedded::block(inner, value),
        Context::Heredoc(inner) => embedded::heredoc(inner, value),
        Context::OpenHeredoc(inner) => embedded::open_heredoc(format, inner, value),
        Context::Fence(inner) => embedded::fence(inner, value),
    }
}

/// One arm per format.
fn by_form(format: Format, form: Form, value: &Value) -> Result<String, Refusal> {
    match format {
        Format::Yaml => yaml::escape(form, value, yaml::Dialect::Plain),
        Format::Compose => yaml::escape(form, value, yaml::Dialect::Compose),
        Format::Json => json::escape(form, value),
        Format::Toml => toml::escape(value),
        Format::Ini => ini::escape(form, value),
        Format::Shell => shell::escape(form, value),
        Format::Powershell => powershell::escape(value),
        Format::Sql => sql::escape(form, value),
        Format::PgHba => pghba::escape(value),
        Format::Fstab => fstab::escape(form, value),
        Format::Exports => exports::escape(form, value),
        Format::Nginx => nginx::escape(form, value),
        Format::Nft => nft::escape(form, value),
        Format::Iptables => iptables::escape(form, value),
        Format::Systemd => systemd::escape(form, value),
        Format::Hcl => hcl::escape(value),
        Format::Csv => csv::escape(value),
        Format::Markdown => markdown::escape(form, value),
        Format::Html => html::escape(form, value),
        Format::Text => text::escape(value),
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
