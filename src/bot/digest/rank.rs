//! Posts of a week: their sums, and those that people cared for most. Pure.
//!
//! Each post finds its place as it comes, so that all are ranked before any is cut off, and no more than the best are held.

use crate::limits::DIGEST_TOP;
use crate::model::Moment;
use crate::notation::cut::shorten;
use serde_json::{Map, Value};

/// What is kept of a post. What nobody did is zero: Graph leaves it out (graph.md §4).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Post {
    pub(super) at: Option<Moment>,
    /// On one line and without signs that cannot be seen; empty for a post without text.
    pub(super) text: String,
    /// Begins with `https://`.
    pub(super) link: Option<String>,
    pub(super) shares: u64,
    pub(super) comments: u64,
    pub(super) reactions: u64,
}

/// All of a week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) posts: u64,
    pub(super) shares: u64,
    pub(super) comments: u64,
    pub(super) reactions: u64,
    /// There were more posts than were looked at.
    pub(super) more: bool,
    /// Best first; none that nobody cared for.
    pub(super) top: Vec<Post>,
    pub(super) commented: Option<Post>,
    pub(super) shared: Option<Post>,
}

impl Post {
    pub(super) fn score(&self) -> u64 {
        self.shares.saturating_add(self.comments).saturating_add(self.reactions)
    }

    /// Its text or, without one, its day; no longer than a platform takes.
    pub(super) fn title(&self, units_max: usize, day: impl Fn(Moment) -> String) -> String {
        match (self.text.as_str(), self.at) {
            ("", Some(at)) => format!("Post of {}", day(at)),
            ("", None) => "Post without text".to_owned(),
            (text, _) => shorten(text, units_max),
        }
    }

    fn json(&self) -> Value {
        let mut members = Map::new();
        members.extend(self.at.map(|at| ("at".to_owned(), Value::from(at.0))));
        members.extend(self.link.as_ref().map(|link| ("link".to_owned(), Value::from(link.as_str()))));
        members.insert("text".to_owned(), Value::from(self.text.as_str()));
        for (name, figure) in [("shares", self.shares), ("comments", self.comments), ("reactions", self.reactions)] {
            members.insert(name.to_owned(), Value::from(figure));
        }
        Value::Object(members)
    }

    fn read(json: &Value) -> Option<Post> {
        let figure = |name| json.get(name).and_then(Value::as_u64);
        Some(Post {
            at: json.get("at").and_then(Value::as_i64).map(Moment),
            text: json.get("text")?.as_str()?.to_owned(),
            link: json.get("link").and_then(Value::as_str).map(str::to_owned),
            shares: figure("shares")?,
            comments: figure("comments")?,
            reactions: figure("reactions")?,
        })
    }
}

impl Sums {
    /// Takes one more post into account.
    pub(super) fn add(&mut self, post: Post) {
        self.posts = self.posts.saturating_add(1);
        self.shares = self.shares.saturating_add(post.shares);
        self.comments = self.comments.saturating_add(post.comments);
        self.reactions = self.reactions.saturating_add(post.reactions);
        best(&mut self.commented, &post, |post| post.comments);
        best(&mut self.shared, &post, |post| post.shares);
        let place = self.top.partition_point(|other| rank(other, other.score()) >= rank(&post, post.score()));
        if post.score() > 0 && place < DIGEST_TOP {
            self.top.insert(place, post);
            self.top.truncate(DIGEST_TOP);
        }
    }

    pub(super) fn json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        for (name, figure) in
            [("posts", self.posts), ("shares", self.shares), ("comments", self.comments), ("reactions", self.reactions)]
        {
            members.insert(name.to_owned(), Value::from(figure));
        }
        members.insert("more".to_owned(), Value::from(self.more));
        members.insert("top".to_owned(), Value::Array(self.top.iter().map(Post::json).collect()));
        for (name, post) in [("commented", &self.commented), ("shared", &self.shared)] {
            members.extend(post.as_ref().map(|post| (name.to_owned(), post.json())));
        }
        members
    }

    pub(super) fn read(json: &Value) -> Option<Sums> {
        let figure = |name| json.get(name).and_then(Value::as_u64);
        Some(Sums {
            posts: figure("posts")?,
            shares: figure("shares")?,
            comments: figure("comments")?,
            reactions: figure("reactions")?,
            more: json.get("more")?.as_bool()?,
            top: json.get("top")?.as_array()?.iter().filter_map(Post::read).take(DIGEST_TOP).collect(),
            commented: json.get("commented").and_then(Post::read),
            shared: json.get("shared").and_then(Post::read),
        })
    }
}

/// Of two posts that are alike, the newer one comes first.
fn rank(post: &Post, figure: u64) -> (u64, Moment) {
    (figure, post.at.unwrap_or_default())
}

/// Keeps the better of two, by one figure.
fn best(kept: &mut Option<Post>, post: &Post, figure: fn(&Post) -> u64) {
    let better = kept.as_ref().is_none_or(|kept| rank(post, figure(post)) > rank(kept, figure(kept)));
    if figure(post) > 0 && better {
        *kept = Some(post.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luck::Luck;

    fn post(number: i64, (shares, comments, reactions): (u64, u64, u64)) -> Post {
        let text = number.to_string();
        Post { at: Some(Moment(number)), text, link: None, shares, comments, reactions }
    }

    fn texts(sums: &Sums) -> Vec<&str> {
        sums.top.iter().map(|post| post.text.as_str()).collect()
    }

    #[test]
    fn all_are_ranked_before_any_is_cut_off() {
        let mut luck = Luck::of_the_day();
        for round in 0..2000 {
            let most = 1 + luck.below(20);
            let mut posts: Vec<Post> = (0..luck.below(40) as i64)
                .map(|number| post(number, (luck.below(most), luck.below(most), luck.below(most))))
                .collect();
            let mut sums = Sums::default();
            posts.iter().cloned().for_each(|post| sums.add(post));
            let total = |figure: fn(&Post) -> u64| posts.iter().map(figure).sum::<u64>();
            assert_eq!(
                (sums.posts, sums.shares, sums.comments, sums.reactions),
                (
                    posts.len() as u64,
                    total(|post| post.shares),
                    total(|post| post.comments),
                    total(|post| post.reactions)
                )
            );
            let most = |figure: fn(&Post) -> u64| {
                posts.iter().filter(|post| figure(post) > 0).max_by_key(|post| (figure(post), post.at)).cloned()
            };
            assert_eq!((&sums.commented, &sums.shared), (&most(|post| post.comments), &most(|post| post.shares)));
            posts.retain(|post| post.score() > 0);
            posts.sort_by_key(|post| std::cmp::Reverse((post.shares + post.comments + post.reactions, post.at)));
            posts.truncate(5);
            assert_eq!(sums.top, posts, "round {round}");
            assert_eq!(Sums::read(&Value::Object(sums.json())), Some(sums), "round {round}");
        }
    }

    #[test]
    fn the_most_discussed_comes_first_although_it_comes_last() {
        let mut sums = Sums::default();
        for number in 0..9 {
            sums.add(post(number, (1, 0, 0)));
        }
        sums.add(post(9, (0, 0, 7)));
        sums.add(post(10, (0, 0, 0)));
        assert_eq!(texts(&sums), ["9", "8", "7", "6", "5"]);
    }

    #[test]
    fn no_figure_overflows() {
        let mut sums = Sums::default();
        let huge = (u64::MAX, u64::MAX, u64::MAX);
        sums.add(post(1, huge));
        sums.add(post(2, huge));
        assert_eq!((sums.shares, texts(&sums)), (u64::MAX, vec!["2", "1"]));
    }
}
