//! The table of filters: `input|name(arguments)`, one row each.

mod lists;
mod maps;
mod order;
mod quantities;
mod texts;

use super::table::Row;

/// All filters, by subject.
pub fn tables() -> [&'static [Row]; 5] {
    [lists::FILTERS, order::FILTERS, maps::FILTERS, quantities::FILTERS, texts::FILTERS]
}

/// The filter of this name.
pub fn find(name: &str) -> Option<&'static Row> {
    tables().into_iter().flatten().find(|r| r.name == name)
}
