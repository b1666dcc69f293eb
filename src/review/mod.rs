//! What a change of a spec comes to: two sets of files in, their differences out.

pub mod text;
