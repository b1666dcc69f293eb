//! x
pub mod csv;
pub mod exports;
pub mod fault;
pub mod flows;
pub mod fstab;
pub mod nftables;
