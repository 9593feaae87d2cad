//! What stands behind the `?` of a call. What a platform makes of its values stands beside its calls.

use crate::notation::unpercent_text;

/// Names and values in their order, decoded.
#[derive(Clone, Debug, Default)]
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    /// Takes `a=b&c=d` apart.
    pub(super) fn new(text: &str) -> Query {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        Query(pairs.map(|(name, value)| (unpercent_text(name, true), unpercent_text(value, true))).collect())
    }

    /// The first value of this name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}
