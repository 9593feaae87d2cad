//! Pictures that bots make, on platforms that take no uploads: remembered under a secret name, and shown at a URL of ours
//! for a while. Without such a URL, or without chance, the words are said alone.

use super::Channel;
use super::pool::Tools;
use crate::limits;
use crate::model::{Content, MemoryWrite, PICTURES, Picture, PictureName, Reply};
use ring::rand::{SecureRandom, SystemRandom};

/// The reply with its picture where its platform can show it, and what has to be remembered for that, in the same commit.
pub(super) fn hang(reply: Reply, channel: &Channel, tools: &Tools) -> (Reply, Option<MemoryWrite>) {
    if channel.platform.takes_uploads() {
        return (reply, None);
    }
    let Content::Picture { picture, text } = &reply.content else { return (reply, None) };
    let gif = picture.bytes().filter(|gif| gif.len() <= limits::MEMORY_VALUE_BYTES_MAX);
    let (Some(gif), Some(base), Some(name)) = (gif, tools.address.get(), secret()) else { return (reply, None) };
    let expires = Some((tools.clock)().after(limits::PICTURE_LIFE));
    let write = MemoryWrite { bot: PICTURES.to_owned(), key: name.key(), value: Some(gif), expires };
    let content = Content::Picture { picture: Picture::At(format!("{base}{}", name.path())), text: text.clone() };
    (Reply { content, ..reply }, Some(write))
}

/// A name that nobody can guess; the chance that spreads retries would not do.
fn secret() -> Option<PictureName> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(PictureName::new(bytes))
}

#[cfg(test)]
mod tests {
    use super::super::testing::{page, space, tools};
    use super::*;
    use crate::model::Moment;

    const GIF: &[u8] = b"GIF89a and so on";
    const BASE: &str = "https://bots.example.org/ackd";

    fn hung(channel: &Channel, base: Option<&str>, gif: &[u8]) -> (Picture, Option<MemoryWrite>) {
        let (tools, _letters) = tools(&[], || Moment(1000));
        base.into_iter().for_each(|base| tools.address.learn(base));
        let content = Content::Picture { picture: Picture::gif(gif), text: "9 kWh".to_owned() };
        let (reply, write) = hang(Reply { content, ..Reply::text("anna", "") }, channel, &tools);
        let Content::Picture { picture, text } = reply.content else { panic!("{reply:?}") };
        assert_eq!((&*text, &*reply.to), ("9 kWh", "anna"));
        (picture, write)
    }

    #[test]
    fn on_a_page_it_is_shown_for_two_days_under_a_name_of_its_own() {
        let (Picture::At(url), Some(write)) = hung(&page(), Some(BASE), GIF) else { panic!("not shown") };
        let name = PictureName::of_path(url.strip_prefix(BASE).unwrap()).unwrap();
        let expires = Some(Moment(1000).after(limits::PICTURE_LIFE));
        let value = Some(GIF.to_vec());
        assert_eq!(write, MemoryWrite { bot: PICTURES.to_owned(), key: name.key(), value, expires });
        let (_, Some(again)) = hung(&page(), Some(BASE), GIF) else { panic!("not shown") };
        assert_ne!(again.key, write.key, "nobody who saw one picture can see another");
    }

    #[test]
    fn what_has_no_place_stays_as_it_is() {
        let large = [GIF, &vec![0; limits::MEMORY_VALUE_BYTES_MAX]].concat();
        for (channel, base, gif) in [
            (space(None), Some(BASE), GIF),
            (page(), None, GIF),
            (page(), Some(BASE), b"<svg>"),
            (page(), Some(BASE), &large),
        ] {
            assert_eq!(hung(&channel, base, gif), (Picture::gif(gif), None));
        }
    }
}
