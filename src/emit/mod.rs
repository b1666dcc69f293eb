//! From the `Ir` and a pack's templates to the text of every artifact.

pub mod escape;
