//! `ackd send`: something to say of our own accord, kept first like any reply.

use super::events::known_channel;
use super::reach::{self, Done, Errand};
use super::{CliError, World};
use crate::config::Outline;
use crate::keeper::{Line, carry_out};
use crate::model::{Order, Purpose, Reply};
use crate::notation::hex;
use crate::platform::Unsayable;
use crate::store::Store;
use crate::store::sqlite::Engine;
use ring::rand::{SecureRandom, SystemRandom};
use std::io::Write;

/// What is to be said, where and to whom.
#[derive(Clone, Copy, Debug)]
pub struct Saying<'a> {
    pub channel: &'a str,
    pub to: &'a str,
    pub text: &'a str,
}

/// Keeps it, and says under which name; on `hints`, apart from what a script reads, what to ask next.
pub fn send(
    config: &Outline,
    saying: Saying<'_>,
    world: &World<'_>,
    out: &mut dyn Write,
    hints: &mut dyn Write,
) -> Result<(), CliError> {
    let names: Vec<_> = config.channels.iter().map(|channel| channel.name.as_str()).collect();
    known_channel(saying.channel, &names)?;
    let id = random_id()?;
    let json = serde_json::json!({ "channel": saying.channel, "to": saying.to, "text": saying.text, "id": id });
    let here = &mut |store: &mut Engine<'_>| keep(config, saying, &id, store, world);
    let errand = Errand { path: "/send", json: json.to_string().into_bytes(), repeatable: true, here };
    let (lines, then) = match reach::run(&config.store, errand, world)? {
        Done::ByDaemon(lines) => (lines, ""),
        Done::Here(lines) => (lines, "; it is sent when ackd runs"),
    };
    for line in lines {
        writeln!(out, "{line}{then}")?;
        if let Some(event) = line.strip_suffix(" kept") {
            out.flush()?;
            // It is kept, whether somebody reads this or not.
            let _ = writeln!(hints, "`ackd why {event}` tells the rest");
        }
    }
    Ok(())
}

/// What makes a repetition of the same order harmless.
fn random_id() -> Result<String, CliError> {
    let mut bytes = [0; 12];
    let fill = SystemRandom::new().fill(&mut bytes);
    fill.map_err(|_| CliError::Failed("the system gives no random numbers".to_owned()))?;
    Ok(format!("push:{}", hex(&bytes)))
}

/// The same as a daemon would do, since there is none.
fn keep(
    config: &Outline,
    saying: Saying<'_>,
    id: &str,
    store: &mut Engine<'_>,
    world: &World<'_>,
) -> Result<Vec<String>, CliError> {
    let channel = config.channels.iter().find(|channel| channel.name == saying.channel);
    let Some(channel) = channel else { return Ok(Vec::new()) };
    let reply = Reply { purpose: Purpose::Push, ..Reply::text(saying.to, saying.text) };
    let unsayable = |Unsayable(why): Unsayable| CliError::Failed(format!("this cannot be said: {why}"));
    let replies = (channel.fit)(reply).map_err(unsayable)?;
    let number = store.channel(&channel.name)?;
    let order = Order::Send { channel: number, id: id.to_owned(), replies };
    let lines = carry_out(store, &order, &[Line::new(number, &*channel.name)], (world.clock)())?;
    store.commit()?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Folder, told, world};
    use super::*;
    use crate::daemon::control_socket;
    use crate::model::{Content, EventKey};
    use crate::store::State;
    use crate::store::sqlite::Reader;
    use std::io::Read;
    use std::os::unix::net::UnixListener;

    fn say(folder: &Folder, channel: &str, text: &str) -> Result<String, CliError> {
        let mut hints = Vec::new();
        let said = told(|out| send(&folder.config(), Saying { channel, to: "4711", text }, &world(), out, &mut hints));
        let hints = String::from_utf8(hints).unwrap();
        let event = said.as_ref().ok().and_then(|said| Some(said.split_once(" kept")?.0));
        assert_eq!(hints, event.map_or(String::new(), |event| format!("`ackd why {event}` tells the rest\n")));
        said
    }

    #[test]
    fn without_a_daemon_it_is_kept_in_the_store() {
        let folder = Folder::new("send");
        folder.make();
        assert_eq!(say(&folder, "page", "Hello").unwrap(), "page-1 kept; it is sent when ackd runs\n");
        assert_eq!(say(&folder, "page", "Hello").unwrap(), "page-2 kept; it is sent when ackd runs\n", "said twice");
        let reader = Reader::open(&folder.store()).unwrap();
        let (page, _) = reader.channels().unwrap().remove(0);
        let life = reader.life(EventKey::new(page, 1)).unwrap().unwrap();
        assert_eq!((life.state, life.conversation.as_str()), (State::Open, "4711"));
        assert!(life.platform_id.starts_with("push:") && life.platform_id.len() == 29, "{}", life.platform_id);
        let reply = &life.replies.first().unwrap().reply;
        let text = Content::Text { text: "Hello".to_owned(), quick_replies: Vec::new() };
        assert_eq!((reply.purpose, &reply.content), (Purpose::Push, &text));
    }

    #[test]
    fn long_text_is_cut_to_the_platforms_size() {
        let folder = Folder::new("send-long");
        folder.make();
        say(&folder, "page", &"word ".repeat(1000)).unwrap();
        let reader = Reader::open(&folder.store()).unwrap();
        let key = reader.find("page-1").unwrap().unwrap();
        assert_eq!(reader.life(key).unwrap().unwrap().replies.len(), 3);
    }

    #[test]
    fn what_cannot_be_said_is_not_kept() {
        let folder = Folder::new("send-not");
        folder.make();
        let error = say(&folder, "pgae", "Hello").unwrap_err();
        assert_eq!(error, CliError::Usage("there is no channel \"pgae\"; did you mean page?".to_owned()));
        let error = say(&folder, "page", "").unwrap_err();
        assert!(error.code() == 1 && error.to_string().starts_with("this cannot be said: "), "{error}");
        assert!(Reader::open(&folder.store()).unwrap().channels().unwrap().is_empty());
    }

    #[test]
    fn with_a_daemon_it_is_asked() {
        let folder = Folder::new("send-daemon");
        let listener = UnixListener::bind(control_socket(&folder.store())).unwrap();
        let daemon = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            while !asked.ends_with(b"}") {
                let mut piece = [0; 512];
                let read = stream.read(&mut piece).unwrap();
                asked.extend_from_slice(piece.get(..read).unwrap());
            }
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 26\r\n\r\n{\"lines\":[\"page-18 kept\"]}\n";
            stream.write_all(answer).unwrap();
            String::from_utf8(asked).unwrap()
        });
        folder.with(|_, _| assert_eq!(say(&folder, "page", "\"Hi\"\n").unwrap(), "page-18 kept\n"));
        let asked = daemon.join().unwrap();
        let (head, body) = asked.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /send HTTP/1.1\r\n"), "{head}");
        let mut body: serde_json::Value = serde_json::from_str(body).unwrap();
        let id = body.as_object_mut().unwrap().remove("id").unwrap();
        assert!(id.as_str().unwrap().starts_with("push:"));
        assert_eq!(body, serde_json::json!({ "channel": "page", "to": "4711", "text": "\"Hi\"\n" }));
    }

    #[test]
    fn two_orders_never_have_the_same_id() {
        assert_ne!(random_id().unwrap(), random_id().unwrap());
    }
}
