//! Two versions of one file in, a unified diff out; bytes that are no text are named, never printed.

use similar::TextDiff;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The unified diff of two files with `---` and `+++` lines; empty when they are equal.
pub fn unified(old_name: &str, new_name: &str, old: &[u8], new: &[u8]) -> String {
    if old == new {
        return String::new();
    }
    let (Some(old), Some(new)) = (as_text(old), as_text(new)) else {
        return format!("--- {old_name}\n+++ {new_name}\nbinary files differ: {} and {} bytes\n", old.len(), new.len());
    };
    // No deadline: the result must not depend on the speed of the machine.
    let diff = TextDiff::from_lines(old, new);
    visible(&diff.unified_diff().context_radius(CONTEXT).header(old_name, new_name).to_string())
}

/// The text of a file, `None` for one that no terminal should see.
pub fn as_text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// Replaces control characters other than line ends and tabs by their pictures, so that a file cannot steer the
/// terminal on which its diff is shown.
fn visible(text: &str) -> String {
    let hidden = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
    if !text.contains(hidden) {
        return text.to_string();
    }
    text.chars()
        .map(|c| match c {
            '\u{7f}' => '\u{2421}',
            c if hidden(c) => char::from_u32(0x2400 + c as u32).filter(|_| c < ' ').unwrap_or('\u{fffd}'),
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_stand_in_their_context() {
        let diff = unified("a", "b", b"1\n2\n3\n4\n5\n", b"1\n2\nx\n4\n5\n");
        assert_eq!(diff, "--- a\n+++ b\n@@ -1,5 +1,5 @@\n 1\n 2\n-3\n+x\n 4\n 5\n");
        assert_eq!(unified("a", "b", b"x", b"x"), "");
    }

    #[test]
    fn binary_files_and_terminal_controls_are_safe() {
        assert!(unified("a", "b", b"\xff\xfe", b"text").contains("binary files differ: 2 and 4 bytes"));
        assert!(unified("a", "b", b"x\n", b"\x1b[2Jy\n").contains("+\u{241b}[2Jy"));
    }
}
