//! Reads the configuration again, by SIGHUP or `ackd reload`: a thread does it that is there for it alone. Whoever wants it
//! while one is at it is served by the next look at the file, all together.

use super::change::{Manager, Told};
use super::post;
use crate::config::{Config, ConfigError};
use crate::keeper::{Post, Receipt, Ticket};
use crate::limits;
use crate::systemd;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// How the configuration is read again.
pub struct Reread {
    pub read: Box<dyn Fn() -> Result<Config, ConfigError> + Send + Sync>,
    /// Called when what was read is in force: what concerns the program around, it sees to itself.
    pub in_force: fn(&Config),
}

/// What it takes to reload.
pub(super) struct Reload {
    manager: Arc<Manager>,
    reread: Option<Reread>,
    post: Post,
    wanted: Mutex<Wanted>,
}

/// Who wants it.
#[derive(Default)]
struct Wanted {
    /// The thread is there.
    is_served: bool,
    /// It is to be read (again).
    asked: bool,
    /// Who is to be told.
    tickets: Vec<Ticket>,
}

impl Reload {
    pub(super) fn by(manager: Arc<Manager>, reread: Option<Reread>) -> Arc<Reload> {
        let post = post(manager.receipts.clone(), &manager.announcer.waker);
        Arc::new(Reload { manager, reread, post, wanted: Mutex::default() })
    }

    /// Begins a reload, and waits for nothing.
    pub(super) fn begin(self: &Arc<Self>, ticket: Option<Ticket>) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        if wanted.tickets.len() >= limits::RELOADS_WAITING_MAX
            && let Some(ticket) = ticket
        {
            drop(wanted);
            self.tell(&[ticket], &Err(vec!["too many wait for a reload already".to_owned()]));
            return;
        }
        wanted.asked = true;
        wanted.tickets.extend(ticket);
        if wanted.is_served {
            return;
        }
        let reload = Arc::clone(self);
        match thread::Builder::new().name("reload".to_owned()).spawn(move || reload.serve()) {
            Ok(_) => wanted.is_served = true,
            Err(error) => {
                let tickets = std::mem::take(&mut *wanted).tickets;
                drop(wanted);
                let why = format!("starting a thread: {error}");
                log::error!("reload: {why}");
                self.tell(&tickets, &Err(vec![why]));
            }
        }
    }

    /// Until nobody wants it any more.
    fn serve(&self) {
        loop {
            let tickets = {
                let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
                if !std::mem::take(&mut wanted.asked) {
                    wanted.is_served = false;
                    return;
                }
                std::mem::take(&mut wanted.tickets)
            };
            systemd::reloading();
            let told = self.reload();
            systemd::ready();
            self.tell(&tickets, &told);
        }
    }

    /// Reads it and puts it in place, or says each fault and leaves all as it was.
    fn reload(&self) -> Result<Told, Vec<String>> {
        let Some(reread) = &self.reread else {
            return Err(vec!["this ackd has its configuration from a program, and reads none again".to_owned()]);
        };
        let changed = match (reread.read)() {
            Ok(config) => {
                let changed = self.manager.change(&config).map_err(|why| vec![why]);
                changed.inspect(|_| (reread.in_force)(&config))
            }
            Err(error) => Err(error.to_string().lines().map(str::to_owned).collect()),
        };
        match &changed {
            Ok(lines) => lines.iter().for_each(|line| log::info!("reload: {line}")),
            Err(lines) => {
                lines.iter().for_each(|line| log::error!("reload: {line}"));
                log::error!("reload: nothing has changed; the configuration of before stays in force");
            }
        }
        changed
    }

    fn tell(&self, tickets: &[Ticket], told: &Result<Told, Vec<String>>) {
        let receipt = |ticket: &Ticket| {
            let receipt = match told {
                Ok(lines) => Receipt::Done(lines.clone()),
                Err(lines) => Receipt::Refused(lines.clone()),
            };
            (*ticket, receipt)
        };
        if !tickets.is_empty() {
            // The loop is gone only when everything ends.
            let _ = self.post.receipts.send(tickets.iter().map(receipt).collect());
            (self.post.wake)();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::change::tests::manager;
    use super::*;
    use std::sync::mpsc::channel;

    #[test]
    fn so_many_wait_for_a_reload_and_all_of_them_are_told_by_the_next_look_at_the_file() {
        let (manager, heard) = manager(false);
        let ((begun, begins), (go_on, waits)) = (channel(), channel::<()>());
        let waits = Mutex::new(waits);
        let read = Box::new(move || {
            begun.send(()).unwrap();
            let _ = waits.lock().unwrap().recv();
            Err(ConfigError { faults: Vec::new(), more: 1 })
        });
        let reload = Reload::by(Arc::new(manager), Some(Reread { read, in_force: |_| panic!("a fault") }));
        let ticket = |slot| Some(Ticket { slot, generation: 1 });
        reload.begin(ticket(0));
        begins.recv().unwrap();
        let waiting = u32::try_from(limits::RELOADS_WAITING_MAX).unwrap();
        (1..=waiting).for_each(|slot| reload.begin(ticket(slot)));
        assert!(heard.receipts.try_recv().is_err(), "they wait");
        reload.begin(ticket(waiting + 1));
        let refused = heard.receipts.try_recv().unwrap();
        let too_many = Receipt::Refused(vec!["too many wait for a reload already".to_owned()]);
        assert_eq!(refused, [(ticket(waiting + 1).unwrap(), too_many)]);
        reload.begin(None);
        drop(go_on);
        let told =
            |receipts: Vec<(Ticket, Receipt)>| receipts.iter().map(|(ticket, _)| ticket.slot).collect::<Vec<_>>();
        assert_eq!(told(heard.receipts.recv().unwrap()), [0]);
        assert_eq!(told(heard.receipts.recv().unwrap()), (1..=waiting).collect::<Vec<_>>());
        drop(reload);
        assert_eq!(begins.iter().count(), 1, "one look for all of them");
    }
}
