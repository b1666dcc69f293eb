//! `sitec` compiles one site spec into every artifact of a customer's site.
//!
//! The way of the data, one pass per module:
//! parse → overlay → validate → decode → resolve → check → lower → check → emit → prove → write.
//! Passes are pure functions; only [`write`] and the command line touch the outside.

pub mod artifact;
pub mod diag;
pub mod ir;
pub mod node;
pub mod pack;
pub mod shape;
pub mod source;
pub mod value;
