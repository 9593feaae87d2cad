//! Shorthand for heads of requests: of a line that platforms and proxies send each time, one control byte is kept.
//!
//! A head lies in the store with each event, and is nearly the same with each; in shorthand it takes 40 bytes instead of
//! 230. It needs nothing but itself to be read. No head that anybody sends holds a control byte but the tab, and of what is
//! written here only the line feed: so a head that was kept before there was shorthand means itself, and nobody can send some.

/// What each byte stands for: a line that always reads so, its line feed with it, or how a line begins.
///
/// This is a format of files: an entry stays as it is, for ever, also when nobody sends its line any more. One is only ever
/// added, behind the others and with a byte that none had before; 0x1c to 0x1f are left. Tab, line feed and carriage
/// return stand for themselves, 0x1b makes a terminal listen, and 0 ends a text for half the world.
const TABLE: [(u8, &str); 23] = [
    (0x01, "POST "),
    (0x02, "Host: "),
    (0x03, "Content-Length: "),
    (0x04, "Content-Type: application/json\n"),
    (0x05, "Accept: */*\n"),
    (0x06, "Accept-Encoding: "),
    (0x07, "Accept-Encoding: deflate, gzip\n"),
    (0x08, "User-Agent: "),
    (0x0b, "User-Agent: facebookexternalua\n"),
    (0x0c, "X-Hub-Signature: *** (45 bytes)\n"),
    (0x0e, "X-Hub-Signature-256: *** (71 bytes)\n"),
    (0x0f, "Facebook-API-Version: "),
    (0x10, "X-Spark-Signature: *** (40 bytes)\n"),
    (0x11, "TrackingID: "),
    (0x12, "X-Forwarded-For: "),
    (0x13, "X-Forwarded-Host: "),
    (0x14, "X-Forwarded-Proto: https\n"),
    (0x15, "X-Real-IP: "),
    (0x16, "Connection: close\n"),
    // As proxies that are written in Go spell them: ngrok, Caddy, cloudflared.
    (0x17, "Facebook-Api-Version: "),
    (0x18, "Trackingid: "),
    (0x19, "Cf-Ray: "),
    (0x1a, "Cf-Connecting-Ip: "),
];

/// The text that was put into shorthand. A byte that this version does not know stays what it is.
pub fn written_out(short: &str) -> String {
    let mut text = String::new();
    for letter in short.chars() {
        match TABLE.iter().find(|(byte, _)| char::from(*byte) == letter) {
            Some((_, stands_for)) => text.push_str(stands_for),
            None => text.push(letter),
        }
    }
    text
}

/// The byte that stands for these pieces, one behind the other. The compiler asks this; whoever writes shorthand knows the
/// byte, and never searches the table.
pub const fn byte_for(pieces: &[&str]) -> Option<u8> {
    let mut table: &[(u8, &str)] = &TABLE;
    while let Some(((byte, stands_for), rest)) = table.split_first() {
        if is_made_of(stands_for.as_bytes(), pieces) {
            return Some(*byte);
        }
        table = rest;
    }
    None
}

const fn is_made_of(mut text: &[u8], mut pieces: &[&str]) -> bool {
    while let Some((piece, others)) = pieces.split_first() {
        let mut piece = piece.as_bytes();
        while let Some((wanted, behind)) = piece.split_first() {
            match text.split_first() {
                Some((letter, rest)) if *letter == *wanted => text = rest,
                _ => return false,
            }
            piece = behind;
        }
        pieces = others;
    }
    text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Copied from the table when an entry was added, and never from there again.
    const KEPT_IN_FILES: &str = "01 POST |02 Host: |03 Content-Length: |04 Content-Type: application/json$|05 Accept: */*$|\
        06 Accept-Encoding: |07 Accept-Encoding: deflate, gzip$|08 User-Agent: |0b User-Agent: facebookexternalua$|\
        0c X-Hub-Signature: *** (45 bytes)$|0e X-Hub-Signature-256: *** (71 bytes)$|0f Facebook-API-Version: |\
        10 X-Spark-Signature: *** (40 bytes)$|11 TrackingID: |12 X-Forwarded-For: |13 X-Forwarded-Host: |\
        14 X-Forwarded-Proto: https$|15 X-Real-IP: |16 Connection: close$|17 Facebook-Api-Version: |18 Trackingid: |\
        19 Cf-Ray: |1a Cf-Connecting-Ip: |";

    #[test]
    fn what_a_byte_stood_for_it_stands_for_in_every_version() {
        let now: String = TABLE.iter().map(|(byte, text)| format!("{byte:02x} {}|", text.replace('\n', "$"))).collect();
        assert!(
            now.starts_with(KEPT_IN_FILES),
            "heads in the stores of others were written with the table as it was, and would be shown with other lines: \
             leave each entry as it is, and add new ones behind them\nwas {KEPT_IN_FILES}\nis  {now}"
        );
        assert_eq!(now, KEPT_IN_FILES, "add the new entry here, too: from now on it may not change");
    }

    #[test]
    fn each_byte_stands_for_one_text_and_each_text_has_one_byte() {
        for (place, (byte, text)) in TABLE.iter().enumerate() {
            assert!(byte.is_ascii_control() && !b"\0\t\n\r\x1b".contains(byte), "{byte:#04x} may not be used");
            let line = text.strip_suffix('\n').unwrap_or(text);
            assert!(!line.contains(|letter: char| letter.is_ascii_control()), "{byte:#04x} would be written out twice");
            // A head in which anything is not ASCII is escaped, this text alone is not.
            assert_eq!(line.as_bytes().escape_ascii().to_string(), line);
            assert!(
                line.len() > 1 && (text.ends_with('\n') || text.ends_with(' ')),
                "{text:?}: a line, or its beginning"
            );
            let others = TABLE.iter().skip(place + 1);
            assert!(
                !others.into_iter().any(|(other, same)| other == byte || same == text),
                "{byte:#04x} is there twice"
            );
        }
    }

    #[test]
    fn each_byte_is_written_out_and_whatever_is_none_of_them_stays() {
        for (byte, text) in TABLE {
            assert_eq!(written_out(&format!("a{}b", char::from(byte))), format!("a{text}b"));
            let (begins, ends) = text.split_at(text.len() / 2);
            assert_eq!((byte_for(&[text]), byte_for(&[begins, "", ends])), (Some(byte), Some(byte)));
            assert_eq!((byte_for(&[begins]), byte_for(&[text, " "])), (None, None));
        }
        let known = |letter: &char| TABLE.iter().any(|(byte, _)| char::from(*byte) == *letter);
        let others: String = ('\0'..='\u{2ff}').filter(|letter| !known(letter)).collect();
        assert_eq!(written_out(&others), others, "a newer version may know more bytes, and an older one fails at none");
        assert_eq!((written_out(""), byte_for(&[]), byte_for(&["", ""])), (String::new(), None, None));
    }

    #[test]
    fn a_head_that_was_kept_before_there_was_shorthand_means_itself() {
        let plain = "POST /messenger?access_token=***\nHost: bots.example.org\nAccept: */*\nUser-Agent: a\tb \\xc3\\xa9\n\
                     X-Hub-Signature-256: *** (71 bytes)\nVia: aaa…\n… and 3 more\n";
        assert_eq!(written_out(plain), plain);
    }
}
