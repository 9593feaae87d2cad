//! How many values a JSON text has at most, told without reading it as JSON.

/// The commas, colons and brackets outside of strings: one stands before or behind each value but a single one. Zero for
/// what is no list or object, which costs nothing to refuse. Of a text that breaks off or goes wrong somewhere, all that a
/// reader takes in up to there is counted.
pub fn values(text: &[u8]) -> usize {
    let text = text.trim_ascii_start();
    if !text.starts_with(b"[") && !text.starts_with(b"{") {
        return 0;
    }
    let (mut count, mut is_string) = (0_usize, false);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_string = !is_string,
            b'\\' if is_string => drop(bytes.next()),
            b',' | b':' | b'[' | b'{' if !is_string => count = count.saturating_add(1),
            _ => {}
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::ANSWER_VALUES_MAX;

    #[test]
    fn what_others_really_answer_is_far_below_the_bound() {
        let mut folders = vec![format!("{}/tests/fixtures", env!("CARGO_MANIFEST_DIR")).into()];
        let mut read = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir::<std::path::PathBuf>(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let found = values(&std::fs::read(&path).unwrap());
                    assert!(found < ANSWER_VALUES_MAX / 10, "{path:?}: {found}");
                    read += usize::from(found > 0);
                }
            }
        }
        assert!(read > 100, "{read}");
        // The longest that we ask for: a page of posts, each with all that is told of it (graph.md §4).
        let post = r#"{"id":"1_2","message":"x","created_time":"x","permalink_url":"x","shares":{"count":4},
            "comments":{"data":[],"summary":{"order":"x","total_count":1,"can_comment":true}},
            "reactions":{"data":[],"summary":{"total_count":1,"viewer_reaction":"NONE"}}},"#;
        assert!(values(format!("[{}]", post.repeat(100)).as_bytes()) < ANSWER_VALUES_MAX / 5);
    }

    #[test]
    fn values_are_counted_and_what_stands_in_strings_is_not() {
        for (text, expected) in [
            ("", 0),
            ("\"[[[,,,\"", 0),
            ("<a href=\"x\">[,,{:</a>", 0),
            ("[]", 1),
            (" \n{\"a\":1,\"b\":[2,3]}", 6),
            ("[\"[,{:\",\"\\\"[,\\\\\",[]]", 4),
            ("[\"\\\\\",1]", 2),
            // A string that never ends, and a text that goes wrong.
            ("[\"[[[", 1),
            ("[1,2,x[[", 5),
            ("[{\"\":0},{\"\":0}]", 6),
        ] {
            assert_eq!(values(text.as_bytes()), expected, "{text}");
        }
    }
}
