//! Signals as bytes in a pipe that the loop polls.

use mio::net::UnixStream;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the operator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Stop,
    Reload,
}

/// The signals that were asked for.
#[derive(Debug)]
pub struct Signals {
    pub pipe: UnixStream,
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
}

impl Signals {
    /// Takes SIGTERM, SIGINT and SIGHUP from now on.
    pub fn take() -> io::Result<Signals> {
        let (read, write) = std::os::unix::net::UnixStream::pair()?;
        read.set_nonblocking(true)?;
        let (stop, reload) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        for (signal, flag) in [(SIGTERM, &stop), (SIGINT, &stop), (SIGHUP, &reload)] {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
            signal_hook::low_level::pipe::register(signal, write.try_clone()?)?;
        }
        Ok(Signals { pipe: UnixStream::from_std(read), stop, reload })
    }

    /// What was asked for since the last call.
    pub fn wish(&mut self) -> Option<Wish> {
        let mut bytes = [0; 64];
        while matches!(self.pipe.read(&mut bytes), Ok(1..)) {}
        if self.stop.swap(false, Ordering::Relaxed) {
            return Some(Wish::Stop);
        }
        self.reload.swap(false, Ordering::Relaxed).then_some(Wish::Reload)
    }
}
