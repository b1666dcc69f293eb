//! The texts of a compilation: every file that was read, and every place in one that something can point at.

use std::sync::Arc;

/// Index of a file in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A byte range within one file; `start <= end`, both on character boundaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    pub file: FileId,
    pub start: u32,
    pub end: u32,
}

impl Span {
    /// Makes a span from byte offsets; an offset beyond 4 GiB cannot occur, since larger files are refused.
    pub fn new(file: FileId, start: usize, end: usize) -> Self {
        Self {
            file,
            start: u32::try_from(start).unwrap_or(u32::MAX),
            end: u32::try_from(end.max(start)).unwrap_or(u32::MAX),
        }
    }

    /// From the begin of this span to the end of a later one of the same file.
    pub fn until(self, last: Self) -> Self {
        Self { end: last.end.max(self.end), ..self }
    }

    /// The span of `len` bytes that begin `offset` bytes into this one.
    pub fn within(self, offset: usize, len: usize) -> Self {
        let start = self.start as usize + offset;
        Self::new(self.file, start, start + len)
    }
}

/// What a file is to the compiler; decides how its places are named in `why` and in messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// The site spec or one of its overlays.
    Spec,
    /// A `pack.toml`, a settings schema, or another file of a pack that is data.
    Pack,
    /// A template of a pack.
    Template,
    /// A text inside the archive of a chart.
    Chart,
    /// The schema of the spec; origin of core defaults.
    Schema,
}

/// One file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user gave it, or `templates/<pack>/…` for an embedded pack.
    pub name: Arc<str>,
    pub text: Arc<str>,
    pub role: Role,
    /// Byte offset of the beginning of each line.
    lines: Vec<u32>,
}

/// Identifies one place: a value in a spec, an item of a pack, a piece of a template. Origins are sets of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlaceId(pub u32);

impl Default for PlaceId {
    fn default() -> Self {
        PlaceId::NONE
    }
}

impl PlaceId {
    /// The place of what has none; never part of an origin set.
    pub const NONE: PlaceId = PlaceId(u32::MAX);
}

/// What stands where a hidden value was.
pub const HIDDEN: &str = "***";
/// A hidden value that is no longer than this is not looked for in other texts: it would be found in every word.
const HIDDEN_LEAST: usize = 2;
/// The same of one line of a hidden value of several.
const HIDDEN_LINE_LEAST: usize = 8;

/// Every text of a compilation and every place in it.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    front: Part,
    /// What comes after it, whatever the number of files and places in front: that can be read at the same time.
    rear: Part,
    /// Whether the part in front has everything it will have.
    front_is_whole: bool,
    /// Values that no report may show, with their places.
    hidden: Vec<(Span, Arc<str>)>,
}

/// Files and places that are counted together.
#[derive(Clone, Debug, Default)]
struct Part {
    files: Vec<SourceFile>,
    places: Vec<Span>,
}

/// The first number in the part behind; the one in front never comes that far, neither in files nor in places.
pub(crate) const REAR: u32 = 1 << 31;

impl Sources {
    /// Sources whose files and places come behind those of any others: they can be read beside these, and
    /// [`Sources::append`] puts both together.
    pub fn behind() -> Self {
        Self { front_is_whole: true, ..Self::default() }
    }

    /// Adds what was read beside these sources. From now on everything that is added comes behind that.
    pub fn append(&mut self, behind: Sources) {
        self.rear = behind.rear;
        self.front_is_whole = true;
        self.hidden.extend(behind.hidden);
    }

    /// The part that grows, and the first number in it.
    fn growing(&mut self) -> (&mut Part, u32) {
        if self.front_is_whole { (&mut self.rear, REAR) } else { (&mut self.front, 0) }
    }

    /// Adds a file and indexes its lines once.
    pub fn add(&mut self, name: impl Into<Arc<str>>, text: impl Into<Arc<str>>, role: Role) -> FileId {
        let text: Arc<str> = text.into();
        let mut lines = vec![0u32];
        lines.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
        let (part, first) = self.growing();
        let id = FileId(first + part.files.len() as u32);
        part.files.push(SourceFile { name: name.into(), text, role, lines });
        id
    }

    /// Registers a place.
    pub fn place(&mut self, span: Span) -> PlaceId {
        let (part, first) = self.growing();
        let id = PlaceId(first + part.places.len() as u32);
        part.places.push(span);
        id
    }

    /// Registers places one after the other, and gives the number of the first.
    pub(crate) fn add_places(&mut self, spans: Vec<Span>) -> u32 {
        let (part, first) = self.growing();
        let number = first + part.places.len() as u32;
        part.places.extend(spans);
        number
    }

    /// How many places there are.
    pub(crate) fn places(&self) -> usize {
        self.front.places.len() + self.rear.places.len()
    }

    /// Calls `f` with the span of each place, in their order.
    pub(crate) fn each_place(&self, f: &mut impl FnMut(Span)) {
        self.front.places.iter().chain(&self.rear.places).for_each(|span| f(*span));
    }

    /// The span of a place; `None` for [`PlaceId::NONE`].
    pub fn span_of(&self, place: PlaceId) -> Option<Span> {
        match place.0.checked_sub(REAR) {
            None => self.front.places.get(place.0 as usize).copied(),
            Some(behind) => self.rear.places.get(behind as usize).copied(),
        }
    }

    /// Keeps a value out of everything that is shown of its file.
    pub fn hide(&mut self, span: Span, value: &Arc<str>) {
        self.hidden.push((span, value.clone()));
    }

    /// The values that are kept out of reports.
    pub fn hidden(&self) -> &[(Span, Arc<str>)] {
        &self.hidden
    }

    /// A piece of a file's text as it may be shown, as long as it is: what is hidden in it are asterisks.
    pub fn shown<'a>(&self, file: FileId, start: usize, text: &'a str) -> std::borrow::Cow<'a, str> {
        let end = start + text.len();
        let within = |s: &Span| s.file == file && (s.start as usize) < end && (s.end as usize) > start;
        let mut shown = std::borrow::Cow::Borrowed(text);
        for (span, _) in self.hidden.iter().filter(|(span, _)| within(span)) {
            let from = (span.start as usize).max(start) - start;
            let to = (span.end as usize).min(end) - start;
            if text.is_char_boundary(from) && text.is_char_boundary(to) {
                shown.to_mut().replace_range(from..to, &"*".repeat(to - from));
            }
        }
        shown
    }

    /// A text without the values that are kept out of reports, each replaced by asterisks, line by line where it has several.
    pub fn masked(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        for (_, value) in self.hidden.iter().filter(|(_, value)| value.len() > HIDDEN_LEAST) {
            shown = shown.replace(&**value, HIDDEN);
            let lines = value.lines().map(str::trim).filter(|line| line.len() > HIDDEN_LINE_LEAST);
            for line in lines.filter(|line| line.len() < value.len()) {
                shown = shown.replace(line, HIDDEN);
            }
        }
        shown
    }

    /// Whether a place is one whose value is kept out of reports.
    pub fn is_hidden(&self, place: PlaceId) -> bool {
        self.span_of(place).is_some_and(|span| self.hidden.iter().any(|(hidden, _)| *hidden == span))
    }

    pub fn file(&self, id: FileId) -> &SourceFile {
        match id.0.checked_sub(REAR) {
            None => &self.front.files[id.0 as usize],
            Some(behind) => &self.rear.files[behind as usize],
        }
    }

    pub fn files(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        let parts = [(0, &self.front), (REAR, &self.rear)];
        parts.into_iter().flat_map(|(first, part)| (first..).zip(&part.files).map(|(id, file)| (FileId(id), file)))
    }

    /// The text that a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).text.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    /// Line and column of a span's beginning, both counted from 1, the column in characters.
    pub fn line_col(&self, span: Span) -> (usize, usize) {
        let file = self.file(span.file);
        let line = file.lines.partition_point(|&l| l <= span.start).saturating_sub(1);
        let begin = file.lines[line] as usize;
        let before = file.text.get(begin..span.start as usize).unwrap_or("");
        // A byte order mark takes no column.
        let column = before.strip_prefix('\u{feff}').unwrap_or(before).chars().count();
        (line + 1, column + 1)
    }

    /// `file:line:column` of a span, as messages and `why` print it.
    pub fn show(&self, span: Span) -> String {
        let (line, column) = self.line_col(span);
        format!("{}:{line}:{column}", self.file(span.file).name)
    }
}

impl SourceFile {
    /// Byte offsets at which the lines begin.
    pub fn line_starts(&self) -> &[u32] {
        &self.lines
    }
}
