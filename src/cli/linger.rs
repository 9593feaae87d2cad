//! Waiting while somebody reads: how `--follow` notices that its reader is gone without having anything to write.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// Waits for `time`, or until nobody can read `output` any more; then it is a broken pipe.
pub fn linger(output: &impl AsFd, time: Duration) -> io::Result<()> {
    // Without any wish, poll still tells of errors and hang-ups. A file or a terminal has none, so it only waits.
    let mut outputs = [PollFd::new(output, PollFlags::empty())];
    let time = Timespec::try_from(time).map_err(io::Error::other)?;
    match poll(&mut outputs, Some(&time)) {
        Ok(0) | Err(Errno::INTR) => Ok(()),
        Ok(_) => Err(io::ErrorKind::BrokenPipe.into()),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn it_waits_while_somebody_reads_and_not_longer() {
        let (reader, writer) = io::pipe().unwrap();
        linger(&writer, Duration::from_millis(1)).unwrap();
        drop(reader);
        let began = Instant::now();
        assert_eq!(
            linger(&writer, Duration::from_secs(60)).map_err(|error| error.kind()),
            Err(io::ErrorKind::BrokenPipe)
        );
        assert!(began.elapsed() < Duration::from_secs(30));
        linger(&std::fs::File::open("/dev/null").unwrap(), Duration::from_millis(1)).unwrap();
    }
}
