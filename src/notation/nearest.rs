//! "Did you mean": the known word nearest to one that is not known.

/// Words longer than this are nobody's typing error, and comparing them would cost more than it helps.
const WORD_BYTES_MAX: usize = 64;

/// The word of `known` that is at most two slips away from `word`, and less than half of it; `None` if none is.
pub fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let near = |candidate: &&'k str| {
        let slips = slips(word, candidate);
        (slips <= 2 && slips * 2 <= candidate.chars().count()).then_some(slips)
    };
    known.into_iter().filter_map(|candidate| Some((near(&candidate)?, candidate))).min().map(|(_, candidate)| candidate)
}

/// How many letters were added, left out, mistaken, or swapped with their neighbour.
pub fn slips(typed: &str, meant: &str) -> usize {
    let (typed, meant): (Vec<char>, Vec<char>) = (typed.chars().collect(), meant.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=meant.len()).collect();
    for (row, letter) in typed.iter().enumerate() {
        let mut here = vec![row + 1];
        for (column, other) in meant.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut least = (at(&above, column) + usize::from(letter != other))
                .min(at(&above, column + 1) + 1)
                .min(at(&here, column) + 1);
            let swapped =
                row > 0 && column > 0 && typed.get(row - 1) == Some(other) && meant.get(column - 1) == Some(letter);
            if swapped {
                least = least.min(at(&before, column - 1) + 1);
            }
            here.push(least);
        }
        before = std::mem::replace(&mut above, here);
    }
    above.last().copied().unwrap_or(typed.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_finds_its_word() {
        let known = ["run", "check", "send", "events", "access_token", "api"];
        for (typed, meant) in [
            ("rnu", Some("run")),
            ("chekc", Some("check")),
            ("event", Some("events")),
            ("acces_tokn", Some("access_token")),
            ("apii", Some("api")),
            ("", None),
            ("xyz", None),
            ("sendmail", None),
        ] {
            assert_eq!(nearest(typed, known), meant, "{typed}");
        }
    }

    #[test]
    fn slips_are_counted() {
        for (typed, meant, count) in
            [("", "abc", 3), ("abc", "", 3), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 1)]
        {
            assert_eq!(slips(typed, meant), count, "{typed} {meant}");
        }
    }
}
