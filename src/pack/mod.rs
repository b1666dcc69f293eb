//! Packs: what a product's folder says, read and verified, and the expressions in it.

pub mod expr;
