//! What somebody who logged in at Facebook has granted: their own token, and one for each of their pages. All of it is
//! one value in the store, so that a stop at any moment leaves the old consent or the new one.

use crate::model::{Moment, Secret};
use serde::{Deserialize, Serialize};

/// A consent as it is kept: JSON, so members may be added but not renamed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub(super) given: Moment,
    pub(super) token: Token,
    pub(super) pages: Vec<PageToken>,
    /// Permissions that were asked for and not granted.
    #[serde(default)]
    pub(super) lacks: Vec<String>,
    /// When Facebook last said what it thinks of the tokens; nothing as long as one of them was not looked at.
    #[serde(default)]
    pub(super) checked: Option<Moment>,
    /// When the operator was last told that it ends.
    #[serde(default)]
    pub(super) warned: Option<Moment>,
}

/// A token, and what Facebook said of it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Token {
    pub(super) value: String,
    /// When it ends; nothing when it does not.
    #[serde(default)]
    pub(super) expires: Option<Moment>,
    /// When what it gives access to ends, whether it does or not.
    #[serde(default)]
    pub(super) access_ends: Option<Moment>,
    /// It is taken no more, and why.
    #[serde(default)]
    pub(super) refused: Option<String>,
}

/// A page's own token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageToken {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) token: Token,
}

impl Token {
    /// One of which nothing else is known.
    pub(super) fn new(value: String) -> Token {
        Token { value, expires: None, access_ends: None, refused: None }
    }

    /// When it is of no use any more, as far as that is known.
    fn end(&self) -> Option<Moment> {
        self.expires.into_iter().chain(self.access_ends).min()
    }

    /// Why it is not worth a call now.
    pub(super) fn flaw(&self, now: Moment) -> Option<&str> {
        let ended = self.end().is_some_and(|end| end <= now);
        self.refused.as_deref().or(ended.then_some("it has ended"))
    }
}

impl Consent {
    /// One that a stand-in of Facebook gives without a login: the token of somebody, and those of their pages.
    pub fn played(token: &Secret, pages: &[(&str, &str, Secret)], now: Moment) -> Consent {
        let page = |(id, name, token): &(&str, &str, Secret)| PageToken {
            id: (*id).to_owned(),
            name: (*name).to_owned(),
            token: Token::new(token.expose().to_owned()),
        };
        let (token, pages) = (Token::new(token.expose().to_owned()), pages.iter().map(page).collect());
        Consent { given: now, token, pages, lacks: Vec::new(), checked: None, warned: None }
    }

    /// As it was kept.
    pub fn read(json: &[u8]) -> Option<Consent> {
        serde_json::from_slice(json).ok()
    }

    /// As it is kept.
    pub fn json(&self) -> Secret {
        Secret::new(serde_json::to_string(self).unwrap_or_default())
    }

    /// When it was given.
    pub fn given(&self) -> Moment {
        self.given
    }

    /// When Facebook was last asked about it.
    pub fn checked(&self) -> Option<Moment> {
        self.checked
    }

    /// Permissions that are missing.
    pub fn lacks(&self) -> &[String] {
        &self.lacks
    }

    /// The pages, as `Roof of Ada (104455667788990)`.
    pub fn pages(&self) -> String {
        let named = self.pages.iter().map(|page| format!("{} ({})", page.name, page.id));
        named.collect::<Vec<_>>().join(", ")
    }

    /// When the first of its tokens ends; nothing when none does.
    pub fn end(&self) -> Option<Moment> {
        self.tokens().filter_map(|(_, token)| token.end()).min()
    }

    /// What Facebook takes no more of it, with the reasons.
    pub fn refused(&self) -> Option<String> {
        let refused = |(whose, token): (&str, &Token)| {
            let why = token.refused.as_ref()?;
            Some(if whose.is_empty() { why.clone() } else { format!("{whose}: {why}") })
        };
        let all: Vec<_> = self.tokens().filter_map(refused).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    /// Every token, with the name of its page; the person's own comes first, without one.
    fn tokens(&self) -> impl Iterator<Item = (&str, &Token)> {
        let pages = self.pages.iter().map(|page| (page.name.as_str(), &page.token));
        std::iter::once(("", &self.token)).chain(pages)
    }

    /// The values of all tokens.
    pub(super) fn values(&self) -> Vec<Secret> {
        self.tokens().map(|(_, token)| Secret::new(token.value.clone())).collect()
    }

    /// The token with this value, if it is still one of them.
    pub(super) fn token_mut(&mut self, value: &str) -> Option<&mut Token> {
        let pages = self.pages.iter_mut().map(|page| &mut page.token);
        std::iter::once(&mut self.token).chain(pages).find(|token| token.value == value)
    }

    /// The token for a call of this path: a person's for `/me`, a page's for what begins with its number.
    pub(super) fn token_for(&self, path: &str) -> Result<&Token, String> {
        let first = path.trim_start_matches('/').split(['/', '?']).next().unwrap_or_default();
        if first == "me" {
            return Ok(&self.token);
        }
        // What a page wrote is called PAGE_POST.
        let id = first.split('_').next().unwrap_or_default();
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("a path begins with /me or with the number of a page".to_owned());
        }
        let page = self.pages.iter().find(|page| page.id == id).map(|page| &page.token);
        page.ok_or_else(|| format!("page {id} is not among those that were granted: {}", self.pages()))
    }
}
