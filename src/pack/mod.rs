//! Packs: what a product's folder says, read, verified, and ready to be put to work on a site.

pub mod embedded;
mod entries;
pub mod expr;
mod fields;
pub(crate) mod flow;
mod judge;
pub mod kinds;
pub mod load;
pub mod manifest;
mod steps;
pub mod verify;

pub use load::{PackFiles, load};
pub use manifest::Pack;
