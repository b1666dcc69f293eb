//! Where the text of an expression stands, so that an offset within it becomes a span of its file.

use crate::node::Node;
use crate::source::{PlaceId, Sources, Span};

/// The place of a text.
#[derive(Clone, Copy, Debug)]
pub struct Anchor {
    /// The whole value, quotes included.
    pub span: Span,
    /// The place that results name among their origins; [`PlaceId::NONE`] for none.
    pub place: PlaceId,
    /// Offset in the file of the text's first byte, when the text stands there letter by letter.
    begin: Option<u32>,
}

impl Anchor {
    /// Finds the text within its span: bare, or after the quotes of a literal string. Where the file has the text in
    /// another form (escapes, folded lines), every span below it is the whole value.
    pub fn new(sources: &Sources, span: Span, place: PlaceId, text: &str) -> Self {
        let written = sources.text(span);
        let skip = [0, 1, 3, 4, 5].into_iter().find(|&n| {
            let quotes = written.as_bytes().get(..n).is_some_and(|q| q.iter().all(|b| b"'\"\r\n".contains(b)));
            quotes && written.get(n..).is_some_and(|w| w.starts_with(text))
        });
        Self { span, place, begin: skip.map(|n| span.start + n as u32) }
    }

    /// The anchor of a node's text.
    pub fn of(sources: &Sources, node: &Node, text: &str) -> Self {
        Self::new(sources, node.span, node.place, text)
    }

    /// The anchor of a text that stands in its file exactly at `span`.
    pub fn exact(span: Span, place: PlaceId) -> Self {
        Self { span, place, begin: Some(span.start) }
    }

    /// The anchor of the same text with another place.
    pub fn with_place(self, place: PlaceId) -> Self {
        Self { place, ..self }
    }

    /// The span of the bytes `start..end` of the text.
    pub fn span(&self, start: u32, end: u32) -> Span {
        match self.begin {
            Some(begin) => Span::new(self.span.file, (begin + start) as usize, (begin + end.max(start)) as usize),
            None => self.span,
        }
    }
}
