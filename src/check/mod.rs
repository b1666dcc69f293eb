//! What no schema can say: findings on the site and on the `Ir`, one room per subject.

pub mod claims;
pub mod requirements;
pub mod waivers;
