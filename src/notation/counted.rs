//! A number with its noun: `1 channel`, `2 channels`.

/// How many of something there are, whose plural has an `s` more.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_alone_is_no_plural() {
        let told = [0, 1, 2, 21].map(|number| counted(number, "channel"));
        assert_eq!(told, ["0 channels", "1 channel", "2 channels", "21 channels"]);
    }
}
