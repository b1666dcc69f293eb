//! What no schema can say: findings on the site and on the `Ir`, one room per subject.

pub mod addresses;
pub mod boundaries;
pub mod charts;
pub mod claims;
pub mod databases;
pub mod firewalls;
pub mod redundant;
pub mod requirements;
pub mod waivers;
