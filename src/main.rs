//! The program: arguments in, exit code out. Everything else is in the library.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code of a bug of the compiler.
const BUG: i32 = 101;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        sitec::cmd::report_bug(&panic.to_string());
        std::process::exit(BUG);
    }));
    sitec::cli::run(std::env::args_os())
}
