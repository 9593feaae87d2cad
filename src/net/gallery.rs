//! Pictures that somebody wants to see: the keeper is asked for a few at once, so that they never take much memory.

use super::refusals::not_shown;
use crate::intake::shown;
use crate::keeper::{Letter, Letterbox, Sought, Ticket};
use crate::limits::PICTURES_ASKED_MAX;
use crate::model::{PictureName, Refusal, Response};

/// How many are asked for, and have not come yet.
#[derive(Debug, Default)]
pub(super) struct Gallery {
    asked: usize,
}

impl Gallery {
    /// Asks for a picture; `show` is called when the answer has come.
    pub(super) fn ask(&mut self, keeper: &Letterbox, ticket: Ticket, name: PictureName) -> Result<(), Refusal> {
        if self.asked >= PICTURES_ASKED_MAX || keeper.letters.send(Letter::Show(ticket, name)).is_err() {
            return Err(not_shown());
        }
        self.asked += 1;
        Ok(())
    }

    /// What is said now that the keeper has looked.
    pub(super) fn show(&mut self, sought: Sought) -> Response {
        self.asked = self.asked.saturating_sub(1);
        match sought {
            Sought::Found(gif) => shown(Some(gif)),
            Sought::Gone => shown(None),
            Sought::Failed => not_shown().response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    #[test]
    fn so_many_are_asked_for_at_once_and_no_more() {
        let (letters, asked) = channel();
        let keeper = Letterbox { letters, health: Arc::default() };
        let ticket = Ticket { slot: 1, generation: 1 };
        let name = PictureName::new([7; 16]);
        let mut gallery = Gallery::default();
        for _ in 0..PICTURES_ASKED_MAX {
            gallery.ask(&keeper, ticket, name).unwrap();
        }
        assert_eq!(gallery.ask(&keeper, ticket, name), Err(not_shown()));
        assert_eq!(asked.try_iter().count(), PICTURES_ASKED_MAX);
        assert_eq!(gallery.show(Sought::Found(b"gif".to_vec())).status, 200);
        gallery.ask(&keeper, ticket, name).unwrap();
        assert_eq!(gallery.show(Sought::Gone).status, 404);
        assert_eq!(gallery.show(Sought::Failed).status, 503);
        drop(asked);
        assert_eq!(gallery.ask(&keeper, ticket, name), Err(not_shown()));
    }
}
