//! What a look came to, and how it is told.
//!
//!     ok     disk: 41.2 GiB free in /var/lib/ackd, and it takes what is written
//!     wrong  token of space: the bot's token is not valid
//!            to mend: make a new one …
//!     --     registration of space: not looked at, since its token is not accepted
//!     --     events: 2 dead, …                         or: nothing to mend now, but to know

use super::super::CliError;
use super::super::show::shown;
use std::io::Write;

/// One look, told as a line or two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) what: String,
    pub(super) verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Ok(String),
    Wrong {
        wrong: String,
        /// A command, or a sentence.
        mend: String,
    },
    /// It could not be looked at, and why.
    Unseen(String),
    /// Nothing that must be mended, but somebody should know.
    Note(String),
}

impl Finding {
    pub(super) fn ok(what: impl Into<String>, detail: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict: Verdict::Ok(detail.into()) }
    }

    pub(super) fn wrong(what: impl Into<String>, wrong: impl Into<String>, mend: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict: Verdict::Wrong { wrong: wrong.into(), mend: mend.into() } }
    }

    pub(super) fn unseen(what: impl Into<String>, since: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict: Verdict::Unseen(since.into()) }
    }

    pub(super) fn note(what: impl Into<String>, detail: impl Into<String>) -> Finding {
        Finding { what: what.into(), verdict: Verdict::Note(detail.into()) }
    }

    /// The lines, without the last line break. Much of it comes from outside.
    pub(super) fn text(&self) -> String {
        let plain = |text: &str| shown(text, usize::MAX).into_owned();
        let what = plain(&self.what);
        match &self.verdict {
            Verdict::Ok(detail) => format!("ok     {what}: {}", plain(detail)),
            Verdict::Wrong { wrong, mend } => {
                format!("wrong  {what}: {}\n       to mend: {}", plain(wrong), plain(mend))
            }
            Verdict::Note(detail) => format!("--     {what}: {}", plain(detail)),
            Verdict::Unseen(since) => format!("--     {what}: not looked at, since {}", plain(since)),
        }
    }
}

/// Tells findings as they come, and counts what is wrong.
pub(super) struct Findings<'a> {
    out: &'a mut dyn Write,
    wrong: usize,
}

impl<'a> Findings<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Findings<'a> {
        Findings { out, wrong: 0 }
    }

    pub(super) fn tell(&mut self, findings: impl IntoIterator<Item = Finding>) -> Result<(), CliError> {
        for finding in findings {
            self.wrong += usize::from(matches!(finding.verdict, Verdict::Wrong { .. }));
            writeln!(self.out, "{}", finding.text())?;
        }
        // Some looks take seconds, and whoever waits wants to see that there is something to wait for.
        Ok(self.out.flush()?)
    }

    /// The last line, and the exit code as an error.
    pub(super) fn end(self, faulty: bool) -> Result<(), CliError> {
        match self.wrong {
            0 => Ok(writeln!(self.out, "nothing is wrong")?),
            wrong => {
                writeln!(self.out, "{wrong} wrong")?;
                Err(CliError::Told(if faulty { 2 } else { 1 }))
            }
        }
    }
}
