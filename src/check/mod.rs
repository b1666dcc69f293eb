//! What no schema can say: findings on the site and on the `Ir`, one room per subject.

pub mod addresses;
pub mod boundaries;
pub mod claims;
pub mod firewalls;
pub mod requirements;
pub mod waivers;
