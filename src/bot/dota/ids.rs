//! Ids of players: the account's with 32 bits, and Steam's with 64 (opendota.md §3). Whole numbers from end to end: no
//! float holds the longer one.

/// By how much Steam's id is larger than the account's.
const STEAM: u64 = 76_561_197_960_265_728;
/// The largest account; the number after it stands for all who do not show who they are.
const ACCOUNT_MAX: u64 = 4_294_967_294;

/// The account with this 32-bit id.
pub(super) fn account(id: u64) -> Option<u32> {
    u32::try_from(id).ok().filter(|_| (1..=ACCOUNT_MAX).contains(&id))
}

/// The account with this 64-bit id of Steam.
pub(super) fn of_steam(id: u64) -> Option<u32> {
    account(id.checked_sub(STEAM)?)
}

/// Whether a text is digits and nothing else.
pub(super) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text reads as a number and is not plain digits: `1e5`, `0x10`, `1.5`, `+5`. At some of them OpenDota fails
/// (opendota.md §4), and none is an id.
pub(super) fn is_odd_number(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let based = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find_map(|(sign, base)| {
        let digits = lower.strip_prefix(sign)?;
        Some(!digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base)))
    });
    if let Some(based) = based {
        return based;
    }
    let bare = unsigned(&lower);
    if bare == "infinity" {
        return true;
    }
    let (number, power) = bare.split_once('e').map_or((bare, None), |(number, power)| (number, Some(power)));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let sound = |digits: &str| digits.is_empty() || is_digits(digits);
    let is_number = sound(whole) && sound(fraction) && !(whole.is_empty() && fraction.is_empty());
    is_number && power.is_none_or(|power| is_digits(unsigned(power))) && !is_digits(text)
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luck::Luck;
    use serde_json::Value;

    #[test]
    fn each_account_is_found_by_its_id_of_steam_and_by_no_other() {
        let samples: Value = serde_json::from_slice(&super::super::tests::sample("steam_ids")).unwrap();
        for sample in samples.as_array().unwrap() {
            let id = sample.get("account_id").and_then(Value::as_u64).unwrap();
            let steam = sample.get("steam64").and_then(Value::as_str).unwrap();
            assert_eq!(of_steam(steam.parse().unwrap()), account(id), "{steam}");
            assert_eq!(account(id).map(u64::from), Some(id));
        }
        // A float has 53 bits: of every 16 such ids it would make one.
        let mut luck = Luck::of(1);
        for step in 0..100_000_u64 {
            let player = account(1 + luck.below(ACCOUNT_MAX)).unwrap();
            let steam = u64::from(player) + STEAM;
            assert_eq!(of_steam(steam), Some(player), "{step}");
            assert_ne!(of_steam(steam + 1), Some(player), "{step}");
            assert_eq!(steam.to_string().parse(), Ok(steam));
        }
        for no in [0, ACCOUNT_MAX + 1, u64::from(u32::MAX), STEAM, STEAM + 1, u64::MAX] {
            assert_eq!(account(no), None, "{no}");
        }
        for no in [0, 86_745_912, STEAM - 1, STEAM, STEAM + ACCOUNT_MAX + 1, u64::MAX] {
            assert_eq!(of_steam(no), None, "{no}");
        }
    }

    #[test]
    fn what_reads_as_a_number_is_told_from_digits_and_from_names() {
        for odd in
            ["1e5", "1E5", "1e+5", "1e-5", "0x10", "0XfF", "0b1", "1.5", ".5", "5.", "+5", "-5", "-1.5e3", "Infinity"]
        {
            assert!(is_odd_number(odd), "{odd}");
        }
        for name in
            ["", "5", "007", "e5", "1e", "1e5e", "0x", "0xg", "1.2.3", ".", "+", "--5", "inf", "nan", "Ada", "５"]
        {
            assert!(!is_odd_number(name), "{name}");
        }
    }
}
