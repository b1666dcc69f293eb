//! What a lexer of words has to know of each format: delimiters, quotes and comments.

use super::super::Format;

/// Where a comment's mark counts as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Anywhere,
    /// At the beginning of a line, after blanks.
    LineStart,
    /// Where a word could begin.
    WordStart,
}

/// How a quote is written inside its own quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Inside {
    Never,
    Backslash,
    Doubled,
    /// A backtick before it, or doubled.
    Backtick,
}

/// One format.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// Characters besides white space that may stand directly before a token.
    pub before: &'static str,
    /// Characters besides white space that may stand directly behind a token.
    pub after: &'static str,
    /// Whether blanks delimit tokens; in CSV they belong to the cell.
    pub blanks: bool,
    pub comments: &'static [(&'static str, At)],
    pub block_comments: &'static [(&'static str, &'static str)],
    pub quotes: &'static [(char, Inside)],
    /// Whether quotes count only where a word begins.
    pub quotes_begin_words: bool,
    /// Whether any text may touch an interpolation.
    pub free: bool,
}

const NONE: Rules = Rules {
    before: "",
    after: "",
    blanks: true,
    comments: &[],
    block_comments: &[],
    quotes: &[],
    quotes_begin_words: false,
    free: false,
};

const HASH: &[(&str, At)] = &[("#", At::Anywhere)];
const HASH_LINE: &[(&str, At)] = &[("#", At::LineStart)];

impl Rules {
    /// Whether a character behind a token ends it.
    pub(super) fn ends_token(&self, c: char) -> bool {
        self.free || matches!(c, '\n' | '\r') || (self.blanks && matches!(c, ' ' | '\t')) || self.after.contains(c)
    }

    /// Whether a token may begin directly behind a character.
    pub(super) fn begins_token(&self, c: char) -> bool {
        self.free || matches!(c, '\n' | '\r') || (self.blanks && matches!(c, ' ' | '\t')) || self.before.contains(c)
    }
}

pub(super) fn rules(format: Format) -> Rules {
    match format {
        Format::Yaml | Format::Compose => Rules { before: "[{,", after: "]},:", ..NONE },
        Format::Shell => Rules { before: "=();|&<>", after: "();|&<>", ..NONE },
        Format::Markdown | Format::Html | Format::Text => Rules { free: true, ..NONE },
        Format::Json => Rules { before: "[{,:", after: "]},:", quotes: &[('"', Inside::Backslash)], ..NONE },
        Format::Toml => Rules {
            before: "[{,=.",
            after: "]},=.",
            comments: HASH,
            quotes: &[('"', Inside::Backslash), ('\'', Inside::Never)],
            ..NONE
        },
        Format::Ini => Rules {
            before: "=,[",
            after: "=,]",
            comments: &[("#", At::LineStart), (";", At::LineStart), ("!", At::LineStart)],
            ..NONE
        },
        Format::Powershell => Rules {
            before: "=(,;{@",
            after: "),;}",
            comments: &[("#", At::WordStart)],
            block_comments: &[("<#", "#>")],
            quotes: &[('"', Inside::Backtick), ('\'', Inside::Doubled)],
            ..NONE
        },
        Format::Sql => Rules {
            before: "(,=<>.",
            after: "),=<>.;:",
            comments: &[("--", At::Anywhere)],
            block_comments: &[("/*", "*/")],
            quotes: &[('"', Inside::Doubled), ('\'', Inside::Doubled)],
            ..NONE
        },
        Format::PgHba => Rules { before: ",", after: ",", comments: HASH, quotes: &[('"', Inside::Doubled)], ..NONE },
        Format::Fstab => Rules { before: ",=", after: ",", comments: HASH_LINE, ..NONE },
        Format::Exports => {
            Rules { before: "(,=", after: "(,)", comments: HASH, quotes: &[('"', Inside::Never)], ..NONE }
        }
        Format::Nginx => Rules {
            before: "={;",
            after: ";",
            comments: &[("#", At::WordStart)],
            quotes: &[('"', Inside::Backslash), ('\'', Inside::Backslash)],
            quotes_begin_words: true,
            ..NONE
        },
        Format::Nft => Rules { before: "{,;@", after: "},;:", comments: HASH, quotes: &[('"', Inside::Never)], ..NONE },
        Format::Iptables => {
            Rules { before: ",", after: ",", comments: HASH_LINE, quotes: &[('"', Inside::Backslash)], ..NONE }
        }
        Format::Systemd => Rules {
            before: "=[",
            after: "=]",
            comments: &[("#", At::LineStart), (";", At::LineStart)],
            quotes: &[('"', Inside::Backslash), ('\'', Inside::Backslash)],
            quotes_begin_words: true,
            ..NONE
        },
        Format::Hcl => Rules {
            before: "[{(,=:",
            after: "]}),=:",
            comments: &[("#", At::Anywhere), ("//", At::Anywhere)],
            block_comments: &[("/*", "*/")],
            quotes: &[('"', Inside::Backslash)],
            ..NONE
        },
        Format::Csv => Rules { before: ",", after: ",", blanks: false, quotes: &[('"', Inside::Doubled)], ..NONE },
    }
}
