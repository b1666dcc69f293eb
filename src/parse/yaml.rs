//! The YAML reader: events of the parser in, nodes out, and everything that YAML allows and a spec does not.

use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag};

use super::anchors::{Anchors, Replay};
use super::scalar::{self, Plain};
use super::tree::Tree;
use super::{ALIAS_LIMIT, DEPTH_LIMIT, yaml_syntax};
use crate::diag::{Diag, codes};
use crate::node::{Data, Entry, Node};

/// Reads the first document of a text. The outer `None` is a text that has no tree, the inner one an empty text.
pub(super) fn read(text: &str, tree: &mut Tree) -> Option<Option<Node>> {
    let options = granit_parser::options! {
        emit_unresolved_aliases: true,
        disallow_directives: true,
        flow_nesting_limit: DEPTH_LIMIT,
        block_nesting_limit: DEPTH_LIMIT,
    };
    let mut reader = Reader { text, tree, open: Vec::new(), root: None, anchors: Anchors::default() };
    for event in Parser::new_from_str_with_options(text, options) {
        let next = match event {
            Ok((event, span)) => {
                let range = span.byte_range().unwrap_or_default();
                let tag = span.tag_span().and_then(|t| t.byte_range());
                match reader.tree.is_full() {
                    false => reader.take(event, range, tag),
                    true => {
                        reader.tree.report(super::too_many_values().at(reader.tree.span(range), "one too many"));
                        Next::NoTree
                    }
                }
            }
            Err(error) => {
                let flows = reader.open.iter().filter(|f| f.flow).map(|f| f.start).collect::<Vec<_>>();
                yaml_syntax::report(text, &error, &flows, reader.tree);
                Next::NoTree
            }
        };
        match next {
            Next::More => {}
            Next::Enough => break,
            Next::NoTree => return None,
        }
    }
    Some(reader.root)
}

enum Next {
    More,
    /// The first document is complete.
    Enough,
    /// A finding says why there is no tree.
    NoTree,
}

struct Reader<'t, 'a, 's> {
    text: &'t str,
    tree: &'a mut Tree<'s>,
    /// The lists and maps that are not yet closed.
    open: Vec<Frame>,
    root: Option<Node>,
    anchors: Anchors,
}

struct Frame {
    kind: Kind,
    start: usize,
    flow: bool,
    anchor: usize,
    poisoned: bool,
    /// Whether this list or map stands where a key belongs.
    is_key: bool,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(Arc<str>, Range<usize>)> },
}

impl Reader<'_, '_, '_> {
    fn take(&mut self, event: Event, range: Range<usize>, tag: Option<Range<usize>>) -> Next {
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                self.tree.report(
                    Diag::new(codes::SEVERAL_DOCUMENTS, "a second document begins")
                        .at(self.tree.span(range), "only the first document would be read")
                        .help("put each spec into a file of its own; what they share goes into a file for `extends`"),
                );
                return Next::Enough;
            }
            Event::Scalar(value, style, anchor, _) if self.expects_key() => {
                self.reject_tag(tag);
                self.key(&value, style, range.clone());
                if anchor > 0 {
                    let node = self.tree.node(range, Data::Text((*value).into()));
                    self.remember(anchor, &node);
                }
            }
            Event::Scalar(value, style, anchor, _) => {
                let data = match self.reject_tag(tag) {
                    true => Data::Poison,
                    false => self.scalar(&value, style, &range),
                };
                let node = self.tree.node(self.trimmed(range, style), data);
                if anchor > 0 {
                    self.remember(anchor, &node);
                }
                self.add(node);
            }
            Event::SequenceStart(style, anchor, t) => {
                return self.begin(Kind::List(Vec::new()), style, anchor, t.as_deref(), tag, range);
            }
            Event::MappingStart(style, anchor, t) => {
                let kind = Kind::Map { entries: Vec::new(), key: None };
                return self.begin(kind, style, anchor, t.as_deref(), tag, range);
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(range),
            Event::Alias(anchor) => return self.alias(anchor, range),
            Event::UnresolvedAlias(name) => self.unknown_alias(&name, range),
            _ => {}
        }
        Next::More
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { kind: Kind::Map { key: None, .. }, .. }))
    }

    fn begin(
        &mut self,
        kind: Kind,
        style: StructureStyle,
        anchor: usize,
        has_tag: Option<&Tag>,
        tag: Option<Range<usize>>,
        range: Range<usize>,
    ) -> Next {
        if self.open.len() >= DEPTH_LIMIT {
            self.tree.report(too_deep().at(self.tree.span(range), "one level too many"));
            return Next::NoTree;
        }
        let poisoned = self.reject_tag(tag) || has_tag.is_some();
        let is_key = self.expects_key();
        let flow = style == StructureStyle::Flow;
        self.open.push(Frame { kind, start: range.start, flow, anchor, poisoned, is_key });
        Next::More
    }

    fn end(&mut self, range: Range<usize>) {
        let Some(frame) = self.open.pop() else { return };
        let (data, first, last) = match frame.kind {
            Kind::List(items) => {
                let first = items.first().map(|n| n.span.start);
                let last = items.last().map(|n| n.span.end);
                (Data::List(items), first, last)
            }
            Kind::Map { entries, .. } => {
                let first = entries.first().map(|e| e.key_span.start);
                let last = entries.last().map(|e| e.value.span.end.max(e.key_span.end));
                (Data::Map(self.tree.unique(entries)), first, last)
            }
        };
        let data = if frame.poisoned { Data::Poison } else { data };
        let base = self.tree.span(0..0).start;
        let offset = |o: Option<u32>| o.map(|o| (o - base) as usize);
        // A block list begins at its first dash; where it is not indented, its start event stands behind that.
        // The end event of a block is the next token.
        let start = match &data {
            Data::List(_) if !frame.flow && !self.text[frame.start..].starts_with('-') => {
                let before = self.text[..frame.start].trim_end();
                if before.ends_with('-') { before.len() - 1 } else { frame.start }
            }
            _ => frame.start,
        };
        let range = match (frame.flow, offset(first), offset(last)) {
            (true, ..) | (_, None, _) | (_, _, None) => start..range.end,
            (false, Some(first), Some(last)) => start.min(first)..last.max(start),
        };
        if frame.is_key {
            let kind = if matches!(data, Data::List(_)) { "list" } else { "map" };
            self.no_key(range, kind);
            return;
        }
        let node = self.tree.node(range, data);
        if frame.anchor > 0 {
            self.remember(frame.anchor, &node);
        }
        self.add(node);
    }

    /// Puts a complete value where it belongs.
    fn add(&mut self, node: Node) {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Frame { kind: Kind::List(items), .. }) => items.push(node),
            Some(Frame { kind: Kind::Map { entries, key }, .. }) => {
                if let Some((key, range)) = key.take() {
                    entries.push(Entry { key, key_span: self.tree.span(range), value: node });
                }
            }
        }
    }

    fn key(&mut self, value: &str, style: ScalarStyle, range: Range<usize>) {
        if style == ScalarStyle::Plain {
            if value == "<<" {
                self.merge_key(range.clone());
            } else if range.is_empty() {
                return self.no_key(range, "missing text");
            } else {
                self.plain_key(value, range.clone());
            }
        }
        let shared = self.tree.key(value);
        if let Some(Frame { kind: Kind::Map { key, .. }, .. }) = self.open.last_mut() {
            *key = Some((shared, range));
        }
    }

    fn merge_key(&mut self, range: Range<usize>) {
        self.tree.report(
            Diag::new(codes::UNSUPPORTED_SYNTAX, "merge keys are not supported")
                .at(self.tree.span(range), "`<<` merges another map into this one")
                .note("YAML 1.2 has no merge keys, and readers differ in which value wins")
                .help(
                    "write the keys out, use a range such as `w[01-05]` for alike hosts, or share a file by `extends`",
                ),
        );
        self.poison_map();
    }

    /// A plain key that is no text, or not for every reader, is better quoted.
    fn plain_key(&mut self, value: &str, range: Range<usize>) {
        let span = self.tree.span(range);
        let kind = match scalar::resolve(value) {
            Plain::Text => {
                let Some(other) = scalar::elsewhere(value).filter(|_| value.len() > 1) else { return };
                let message = format!("`{value}` is text here, but {other} to readers of YAML 1.1");
                let diag = Diag::new(codes::AMBIGUOUS_SCALAR, message).at(span, "ambiguous key");
                return self.tree.report(diag.help("quote the key").replace(span, format!("\"{value}\""), true));
            }
            Plain::Null => "null",
            Plain::Bool(_) => "a boolean",
            Plain::Int(_) | Plain::Float(_) | Plain::NotFinite => "a number",
        };
        self.tree.report(
            Diag::new(codes::UNSUPPORTED_SYNTAX, format!("the key `{value}` is {kind}, not text"))
                .at(span, "keys are text")
                .help("quote the key")
                .replace(span, format!("\"{value}\""), true),
        );
    }

    /// Reports something that cannot be a key. The map has lost an entry and is poisoned.
    fn no_key(&mut self, range: Range<usize>, kind: &str) {
        let span = self.tree.span(range.clone());
        let braces = self.text.get(..range.start).is_some_and(|t| t.ends_with('{')) && kind == "map";
        let (message, help) = match kind {
            "missing text" => ("a key is missing".to_owned(), "write a name before the `:`"),
            _ if braces => (format!("a {kind} cannot be a key"), "text that begins with `{{` needs quotes"),
            _ => (format!("a {kind} cannot be a key"), "keys are names; text that holds brackets needs quotes"),
        };
        self.tree.report(Diag::new(codes::UNSUPPORTED_SYNTAX, message).at(span, "").help(help));
        let shared = self.tree.key("");
        if let Some(Frame { kind: Kind::Map { key, .. }, poisoned, .. }) = self.open.last_mut() {
            *key = Some((shared, range));
            *poisoned = true;
        }
    }

    fn poison_map(&mut self) {
        if let Some(frame) = self.open.last_mut() {
            frame.poisoned = true;
        }
    }

    /// Whether a tag was there, and has been reported.
    fn reject_tag(&mut self, tag: Option<Range<usize>>) -> bool {
        let Some(range) = tag else { return false };
        let name = self.text.get(range.clone()).unwrap_or_default();
        self.tree.report(
            Diag::new(codes::UNSUPPORTED_SYNTAX, format!("the tag `{name}` is not supported"))
                .at(self.tree.span(range), "a YAML tag")
                .help("remove the tag; quote text that begins with `!`"),
        );
        true
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, range: &Range<usize>) -> Data {
        if style != ScalarStyle::Plain {
            return Data::Text(value.into());
        }
        if range.is_empty() {
            return Data::Null;
        }
        let raw = || Arc::<str>::from(value);
        let data = match scalar::resolve(value) {
            Plain::Null => Data::Null,
            Plain::Bool(value) => Data::Bool { value, raw: raw() },
            Plain::Int(value) => Data::Int { value, raw: raw() },
            Plain::Float(value) => Data::Float { value, raw: raw() },
            Plain::Text => Data::Text(raw()),
            Plain::NotFinite => {
                self.tree.report(not_finite(value).at(self.tree.span(range.clone()), ""));
                Data::Poison
            }
        };
        if let Some(other) = scalar::elsewhere(value) {
            self.ambiguous(value, &data, other, range.clone());
        }
        data
    }

    fn ambiguous(&mut self, value: &str, data: &Data, other: &str, range: Range<usize>) {
        let here = match data {
            Data::Int { value, .. } => format!("the number {value}"),
            Data::Float { .. } => "a number".to_owned(),
            _ => "text".to_owned(),
        };
        let help = match other {
            "the boolean true" => "write `true` for yes, or quote the text",
            "the boolean false" => "write `false` for no, or quote the text",
            _ => "quote it if text is meant, or write it so that every reader agrees",
        };
        let span = self.tree.span(range);
        self.tree.report(
            Diag::new(codes::AMBIGUOUS_SCALAR, format!("`{value}` is {here} here, but {other} to readers of YAML 1.1"))
                .at(span, "ambiguous")
                .help(help)
                // Quoted text stays what it is. A number would become text, and who writes `yes` may mean `true`.
                .replace(span, format!("\"{value}\""), matches!(data, Data::Text(_)) && !other.contains("boolean")),
        );
    }

    /// The range of a scalar without the line ends that follow a block scalar; that of a missing value is empty and
    /// stands where the value would be written, behind the colon.
    fn trimmed(&self, range: Range<usize>, style: ScalarStyle) -> Range<usize> {
        match style {
            ScalarStyle::Plain if range.is_empty() => {
                let colon = self.text[range.start..].starts_with(':');
                let at = range.start + usize::from(colon);
                at..at
            }
            ScalarStyle::Literal | ScalarStyle::Folded => {
                let text = self.text.get(range.clone()).unwrap_or_default();
                range.start..range.start + text.trim_end().len()
            }
            _ => range,
        }
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        self.tree.repeats = true;
        self.anchors.remember(anchor, node);
    }

    fn alias(&mut self, anchor: usize, range: Range<usize>) -> Next {
        self.tree.repeats = true;
        if self.expects_key() {
            self.no_key(range, "value from elsewhere");
            return Next::More;
        }
        let span = self.tree.span(range.clone());
        let node = match self.anchors.replay(anchor, self.open.len()) {
            Replay::Node(node) => node,
            Replay::TooMuch => {
                self.tree.report(
                    Diag::new(
                        codes::ALIAS_BOMB,
                        format!("the aliases of this file repeat more than {ALIAS_LIMIT} values"),
                    )
                    .at(span, "with this alias it is too much")
                    .help("write the values out, or use ranges such as `w[01-05]` for what is alike"),
                );
                return Next::NoTree;
            }
            Replay::TooDeep => {
                self.tree.report(too_deep().at(span, "this alias repeats too many levels"));
                return Next::NoTree;
            }
            Replay::Itself => {
                let name = self.text.get(range.clone()).unwrap_or_default();
                let message = format!("the alias `{name}` stands inside the value that it repeats");
                let diag = Diag::new(codes::ALIAS_BOMB, message).at(span, "repeats itself");
                self.tree.report(diag.help("give the anchor to a part that does not contain the alias"));
                self.tree.node(range, Data::Poison)
            }
        };
        self.add(node);
        Next::More
    }

    fn unknown_alias(&mut self, name: &str, range: Range<usize>) {
        let span = self.tree.span(range.clone());
        self.tree.report(
            Diag::new(codes::SYNTAX, format!("there is no anchor `&{name}`"))
                .at(span, "an unquoted `*` repeats the value of an anchor")
                .help("a pattern that begins with `*` needs quotes")
                .replace(span, format!("\"*{name}\""), true),
        );
        if self.expects_key() {
            let shared = self.tree.key(name);
            if let Some(Frame { kind: Kind::Map { key, .. }, poisoned, .. }) = self.open.last_mut() {
                *key = Some((shared, range));
                *poisoned = true;
            }
            return;
        }
        let node = self.tree.node(range, Data::Poison);
        self.add(node);
    }
}

pub(super) fn too_deep() -> Diag {
    Diag::new(codes::TOO_DEEP, format!("lists and maps are nested more than {DEPTH_LIMIT} deep"))
        .help("a spec needs some ten levels; look for brackets that were never closed")
}

pub(super) fn not_finite(value: &str) -> Diag {
    Diag::new(codes::UNSUPPORTED_SYNTAX, format!("`{value}` is not a number that can be used"))
        .help("write a finite number, `null` for what is not yet known, or quote the text")
}
