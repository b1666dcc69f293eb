//! Output as it is written, and which places each line of it comes from.

use super::template::Layout;
use crate::source::PlaceId;
use crate::value::Origins;

/// Where the lines of a rendered text come from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Offsets at which the lines begin.
    starts: Vec<u32>,
    marks: Vec<Mark>,
    /// For each line the marks that belong to it.
    lines: Vec<Vec<u32>>,
}

/// A piece of output with its origins; an empty one explains what is not there.
#[derive(Clone, Debug, PartialEq)]
struct Mark {
    start: u32,
    end: u32,
    /// The line of the template.
    line: PlaceId,
    /// What the piece itself read.
    own: Origins,
    /// What all open control frames read.
    frame: Origins,
}

impl Trace {
    /// The number of lines; a last line without its end counts.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The places that a line comes from, sorted; lines are counted from 1. A line that is not there comes from nowhere.
    ///
    /// The place of something that could stand between two lines, and does not, belongs to both.
    pub fn line_origins(&self, line: usize) -> Vec<PlaceId> {
        let mut places = Vec::new();
        for mark in line.checked_sub(1).and_then(|l| self.lines.get(l)).into_iter().flatten() {
            let mark = &self.marks[*mark as usize];
            places.push(mark.line);
            places.extend_from_slice(mark.own.as_slice());
            places.extend_from_slice(mark.frame.as_slice());
        }
        places.retain(|p| *p != PlaceId::NONE);
        places.sort_unstable();
        places.dedup();
        places
    }

    /// The places that a range of bytes comes from, sorted.
    pub fn range_origins(&self, range: std::ops::Range<usize>) -> Vec<PlaceId> {
        let touched = |m: &&Mark| (m.start as usize) < range.end && range.start < m.end as usize;
        let mut places: Vec<PlaceId> = Vec::new();
        for mark in self.marks.iter().filter(touched) {
            places.push(mark.line);
            places.extend_from_slice(mark.own.as_slice());
            places.extend_from_slice(mark.frame.as_slice());
        }
        places.retain(|p| *p != PlaceId::NONE);
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Adds places to every line, as those of an artifact's own conditions.
    pub fn extend_all(&mut self, origins: &Origins) {
        for mark in &mut self.marks {
            mark.frame = mark.frame.union(origins);
        }
    }

    fn new(text: &str, marks: Vec<Mark>) -> Self {
        let mut starts = vec![0u32];
        starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
        if starts.len() > 1 && starts.last().is_some_and(|s| *s as usize == text.len()) {
            starts.pop();
        }
        let mut lines = vec![Vec::new(); starts.len()];
        let last = starts.len() - 1;
        let line_of = |offset: u32| starts.partition_point(|s| *s <= offset).saturating_sub(1).min(last);
        for (i, mark) in marks.iter().enumerate() {
            let (first, until) = if mark.start == mark.end {
                let line = line_of(mark.start);
                let at_head = starts[line] == mark.start;
                (if at_head { line.saturating_sub(1) } else { line }, line)
            } else {
                (line_of(mark.start), line_of(mark.end - 1))
            };
            for line in &mut lines[first..=until] {
                line.push(i as u32);
            }
        }
        Self { starts, marks, lines }
    }
}

/// Text that has been written, with its marks when they are kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Sink {
    pub text: String,
    marks: Option<Vec<Mark>>,
}

impl Sink {
    pub fn new(traced: bool) -> Self {
        Self { text: String::new(), marks: traced.then(Vec::new) }
    }

    pub fn traced(&self) -> bool {
        self.marks.is_some()
    }

    /// Writes text of one origin.
    pub fn write(&mut self, text: &str, line: PlaceId, own: &Origins, frame: &Origins) {
        let start = self.text.len() as u32;
        self.text.push_str(text);
        if let Some(marks) = &mut self.marks {
            let mark = Mark { start, end: self.text.len() as u32, line, own: own.clone(), frame: frame.clone() };
            marks.push(mark);
        }
    }

    /// Writes nothing, and remembers why.
    pub fn absent(&mut self, line: PlaceId, frame: &Origins) {
        self.write("", line, &Origins::None, frame);
    }

    /// Writes what was captured, laid out; its marks gain the frames that are open here.
    pub fn paste(&mut self, captured: &Sink, layout: Layout, frame: &Origins) {
        let base = self.text.len() as u32;
        let insertions = layout.insertions(&captured.text);
        if insertions.is_empty() {
            self.text.push_str(&captured.text);
        } else {
            let mut from = 0;
            for at in &insertions {
                self.text.push_str(&captured.text[from..*at]);
                self.text.extend(std::iter::repeat_n(' ', layout.indent));
                from = *at;
            }
            self.text.push_str(&captured.text[from..]);
        }
        let (Some(marks), Some(added)) = (&mut self.marks, &captured.marks) else { return };
        // Spaces belong to the piece that they stand before.
        let moved = |offset: u32| {
            let before = insertions.partition_point(|at| *at < offset as usize);
            base + offset + (before * layout.indent) as u32
        };
        marks.extend(added.iter().map(|m| Mark {
            start: moved(m.start),
            end: moved(m.end),
            line: m.line,
            own: m.own.clone(),
            frame: m.frame.union(frame),
        }));
    }

    pub fn finish(self) -> (String, Option<Trace>) {
        let trace = self.marks.map(|marks| Trace::new(&self.text, marks));
        (self.text, trace)
    }
}

impl Layout {
    /// The offsets at which spaces come in.
    fn insertions(self, text: &str) -> Vec<usize> {
        if self.indent == 0 {
            return Vec::new();
        }
        let mut found = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            if (start > 0 || self.first) && !line.trim().is_empty() {
                found.push(start);
            }
            start += line.len();
        }
        found
    }
}
