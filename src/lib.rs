//! `sitec` compiles one site spec into every artifact of a customer's site.
//!
//! The way of the data, one pass per module:
//! parse → overlay → validate → decode → resolve → check → lower → check → emit → prove → write.
//! Passes are pure functions; only [`write`] and the command line touch the outside.

pub mod artifact;
pub mod chart;
pub mod check;
pub mod cli;
pub mod cmd;
pub mod compile;
pub mod decode;
pub mod diag;
pub mod emit;
pub mod fix;
pub mod instance;
pub mod ir;
pub mod lower;
pub mod netset;
pub mod node;
pub mod overlay;
pub mod pack;
pub mod parse;
pub mod prove;
pub mod resolve;
pub mod review;
pub mod schema;
pub mod shape;
pub mod site;
pub mod source;
pub mod spec;
mod spread;
pub mod validate;
pub mod value;
pub mod write;
