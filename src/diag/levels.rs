//! What a run demands of levels in, findings raised, lowered or taken out: `--deny`, `--warn`, `--allow`.

use super::{Diag, Findings, Level, codes};

/// What is to become of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It counts as an error.
    Deny,
    /// It counts as a warning.
    Warn,
    /// It is not reported.
    Allow,
}

impl Wish {
    pub fn option(self) -> &'static str {
        match self {
            Wish::Deny => "--deny",
            Wish::Warn => "--warn",
            Wish::Allow => "--allow",
        }
    }
}

/// Which findings a wish is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Level(Level),
    /// A code as findings have it, not its name.
    Code(String),
}

/// The wishes of a run in their order; of those about one finding the last one counts.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    pub wishes: Vec<(Wish, About)>,
}

/// The level that a word names, in the singular or the plural.
pub fn level_of(word: &str) -> Option<Level> {
    let levels = [Level::Error, Level::Warning, Level::Question, Level::Note];
    levels.into_iter().find(|l| word.strip_suffix('s').unwrap_or(word) == l.name())
}

/// Whether findings of a code can be lowered at all: with faults of the text, of its form and of its names no correct
/// artifact can be made, and neither can it with a broken pack, a bug or a folder in disorder.
pub fn can_be_lowered(code: &str) -> bool {
    let fatal = ["S00", "S01", "S02", "S03", "S06", "S07", "S08", "S09"];
    codes::find(code).is_none_or(|row| row.level != Level::Error || !fatal.iter().any(|f| row.code.starts_with(f)))
}

impl Levels {
    /// Gives the findings from the one at `first` on the level that is wished. Each finding is to be given once, since
    /// wishes about levels are about the level that it was found with.
    pub fn apply(&self, findings: &mut Findings, first: usize) {
        if self.wishes.is_empty() {
            return;
        }
        let mut index = 0;
        findings.list.retain_mut(|diag| {
            index += 1;
            index <= first || self.judge(diag)
        });
    }

    /// Whether a finding is to be reported.
    fn judge(&self, diag: &mut Diag) -> bool {
        // Doubts about the compiler's own work are no wish of the user's: as errors they would be bugs.
        if diag.code.starts_with("S08") {
            return true;
        }
        let about = |about: &About| match about {
            About::Level(level) => *level == diag.level,
            About::Code(code) => *code == *diag.code,
        };
        let Some((wish, _)) = self.wishes.iter().rev().find(|(_, a)| about(a)) else { return true };
        // An error that no waiver may silence is one because no correct artifact can be made with it.
        if *wish != Wish::Deny && diag.level == Level::Error && !diag.waivable {
            diag.notes.push(format!("`{} {}` has no effect on this error", wish.option(), diag.code));
            return true;
        }
        match wish {
            Wish::Deny => diag.level = Level::Error,
            Wish::Warn => diag.level = Level::Warning,
            Wish::Allow => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(wishes: &[(Wish, About)], diag: Diag) -> Option<Level> {
        let mut findings = Findings::default();
        findings.push(diag);
        Levels { wishes: wishes.to_vec() }.apply(&mut findings, 0);
        findings.iter().next().map(|d| d.level)
    }

    #[test]
    fn the_last_wish_counts_and_is_about_the_level_as_found() {
        let code = |c: &str| About::Code(c.to_owned());
        let question = || Diag::with_code("S1001", Level::Question, "who?");
        assert_eq!(apply(&[(Wish::Deny, About::Level(Level::Question))], question()), Some(Level::Error));
        let both = [(Wish::Deny, About::Level(Level::Question)), (Wish::Warn, code("S1001"))];
        assert_eq!(apply(&both, question()), Some(Level::Warning));
        let raised = [(Wish::Warn, code("S1001")), (Wish::Deny, About::Level(Level::Warning))];
        assert_eq!(apply(&raised, question()), Some(Level::Warning));
        assert_eq!(apply(&[(Wish::Allow, code("S1001"))], question()), None);
    }

    #[test]
    fn errors_are_lowered_only_when_they_may_be_waived() {
        let allow = [(Wish::Allow, About::Code("demo/memory".to_owned()))];
        let mut diag = Diag::with_code("demo/memory", Level::Error, "too little");
        assert_eq!(apply(&allow, diag.clone()), Some(Level::Error));
        diag.waivable = true;
        assert_eq!(apply(&allow, diag), None);
        assert!(!can_be_lowered("S0201") && can_be_lowered("S0009") && can_be_lowered("demo/memory"));
    }
}
