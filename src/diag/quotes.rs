//! Quotations in the words of findings: values of the spec that are longer than anybody reads are cut in their middle.
//! What helps out is left whole, to be copied.

use super::{Diag, Findings};

/// Characters of a quotation that stay whole, and how many of a longer one stay at its beginning and its end.
const MOST: usize = 120;
const FIRST: usize = 60;
const LAST: usize = 20;

/// Cuts the quotations of all findings; replacements stay as they are.
pub fn shorten(findings: &mut Findings) {
    for Diag { message, notes, primary, secondary, .. } in findings.all_mut() {
        let labels = primary.iter_mut().chain(secondary).map(|label| &mut label.text);
        for text in std::iter::once(message).chain(notes).chain(labels).filter(|t| t.len() > MOST) {
            *text = text
                .split('`')
                .enumerate()
                .map(|(i, part)| if i % 2 == 1 { cut(part) } else { part.to_owned() })
                .collect::<Vec<_>>()
                .join("`");
        }
    }
}

/// A quotation, or its beginning and its end.
fn cut(quoted: &str) -> String {
    let count = quoted.chars().count();
    if count <= MOST {
        return quoted.to_owned();
    }
    let (first, last): (String, String) =
        (quoted.chars().take(FIRST).collect(), quoted.chars().skip(count - LAST).collect());
    format!("{first}…{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_too_long_is_cut() {
        assert_eq!(cut("w1.acme.example"), "w1.acme.example");
        let long = format!("{}{}", "漢".repeat(200), "end");
        assert_eq!(cut(&long), format!("{}…{}end", "漢".repeat(60), "漢".repeat(17)));
    }
}
