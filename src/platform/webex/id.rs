//! Webex's ids: opaque, and compared as text. In fact they are base64 of `ciscospark://us/PEOPLE/8a1b…`, and twice
//! one must look inside (webex.md §2): a mention may name the bare uuid, and a reply may go to a person.

use crate::platform::spelling::too_long;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Whether this is a person's id; any other is taken for a room's.
pub(super) fn is_person(id: &str) -> bool {
    inside(id).is_some_and(|inside| inside.contains("/PEOPLE/"))
}

/// Whether a mention's id, whole or bare, names the person with this whole id.
pub(super) fn names(mentioned: &str, person: &str) -> bool {
    let uuid = || inside(person)?.rsplit_once('/').map(|(_, uuid)| uuid.to_owned());
    mentioned == person || uuid().is_some_and(|uuid| !uuid.is_empty() && uuid.eq_ignore_ascii_case(mentioned))
}

fn inside(id: &str) -> Option<String> {
    if too_long(id) {
        return None;
    }
    let inside = String::from_utf8(STANDARD_NO_PAD.decode(id.trim_end_matches('=')).ok()?).ok()?;
    inside.starts_with("ciscospark://").then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOM: &str = "Y2lzY29zcGFyazovL3VzL1JPT00vM2IxZDVhNDAtM2EyNS0xMWVhLTlmN2EtNWQxYzJiM2E0ZjVl";
    const BOT: &str = "Y2lzY29zcGFyazovL3VzL1BFT1BMRS84YTFiMmMzZC00ZTVmLTRhNmItOWM3ZC0wZTFmMmEzYjRjNWQ";

    #[test]
    fn a_person_is_told_from_a_room() {
        assert!(is_person(BOT) && is_person(&format!("{BOT}=")));
        for other in [ROOM, "", "17", "ada", "L1BFT1BMRS8", &BOT.repeat(20)] {
            assert!(!is_person(other), "{other}");
        }
    }

    #[test]
    fn a_mention_names_the_bot_by_its_id_or_by_the_uuid_inside() {
        for (mentioned, ours) in [
            (BOT, true),
            ("8a1b2c3d-4e5f-4a6b-9c7d-0e1f2a3b4c5d", true),
            ("8A1B2C3D-4E5F-4A6B-9C7D-0E1F2A3B4C5D", true),
            ("8a1b2c3d", false),
            (ROOM, false),
            ("", false),
        ] {
            assert_eq!(names(mentioned, BOT), ours, "{mentioned}");
        }
        assert!(names("opaque", "opaque"), "an id that is not base64 is compared as text");
    }
}
