//! A line on the terminal that says what takes so long: only after a second, only where somebody looks.

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Work shorter than this goes without a word.
const PATIENCE: Duration = Duration::from_secs(1);

/// Work under way. Dropping it ends the line too.
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    pub fn begin(what: String) -> Self {
        if !io::stderr().is_terminal() {
            return Self(None);
        }
        let (end, ended) = channel::<()>();
        let line = std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(io::stderr(), "{what} …");
                let _ = ended.recv();
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        });
        Self(Some((end, line)))
    }

    pub fn end(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((end, line)) = self.0.take() {
            drop(end);
            let _ = line.join();
        }
    }
}
