//! What a page or a group posts, and what people make of it: a function of seed and time, and of nothing else.
//!
//! None to three posts a day while the shop is open by its own clock, some 590 a year. Each has its share of luck, and
//! reactions, comments and shares grow for two days, quickly at first. Some posts have no text, and some a text that a
//! careless reader stumbles over.

use crate::limits::{GRAPH_GROWTH_SECONDS, GRAPH_POSTS_SECONDS};
use crate::twin::faults::Chance;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// From seven to eight.
const OPENS: i64 = 7 * 3600;
const OPEN_SECONDS: i64 = 13 * 3600;

/// A post, without its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    /// Later is higher.
    pub number: u64,
    /// When it was made, in seconds.
    pub at: i64,
    drawn: u64,
}

/// Whose posts they are.
pub(super) struct Source<'a> {
    pub seed: u64,
    pub zone: &'a TimeZone,
}

impl Source<'_> {
    /// Those of `since..until`, the newest first. What is older than a year cannot be read (graph.md §5).
    pub(super) fn posts(&self, since: Option<i64>, until: Option<i64>, now: i64) -> Vec<Post> {
        let oldest = now.saturating_sub(GRAPH_POSTS_SECONDS);
        // A post of this second is there.
        let (since, until) =
            (since.unwrap_or(oldest).max(oldest), until.unwrap_or(i64::MAX).min(now.saturating_add(1)));
        let mut posts = Vec::new();
        if since >= until {
            return posts;
        }
        let (first, mut day) = (self.date(since), self.date(until));
        while day >= first {
            self.day(day, &mut posts);
            let Ok(before) = day.yesterday() else { break };
            day = before;
        }
        posts.retain(|post| (since..until).contains(&post.at));
        posts
    }

    fn day(&self, day: Date, posts: &mut Vec<Post>) {
        let Ok(midnight) = day.to_zoned(self.zone.clone()) else { return };
        let opens = midnight.timestamp().as_second() + OPENS;
        let name = (i64::from(day.year()) * 100 + i64::from(day.month())) * 100 + i64::from(day.day());
        let day = name.unsigned_abs() * 100;
        let count = [0, 1, 1, 1, 2, 2, 3, 3].get(draw(self.seed, day) as usize % 8).copied().unwrap_or(1);
        for place in (0..count).rev() {
            let number = day + 1 + place;
            let drawn = draw(self.seed, number);
            let part = OPEN_SECONDS / count as i64;
            let at = opens + part * place as i64 + (drawn >> 32) as i64 % part;
            posts.push(Post { number, at, drawn });
        }
    }

    fn date(&self, seconds: i64) -> Date {
        // Fails only for a clock outside the years -9999 to 9999.
        Timestamp::from_second(seconds).unwrap_or_default().to_zoned(self.zone.clone()).date()
    }
}

impl Post {
    /// Some belong to visitors, and are not the page's own.
    pub(super) fn of_visitor(self) -> bool {
        self.drawn % 8 == 7
    }

    /// What it says, if it says anything.
    pub(super) fn text(self) -> Option<String> {
        if self.drawn % 9 == 4 {
            return None;
        }
        let goods = pick(&GOODS, self.drawn >> 8);
        let text = pick(if self.of_visitor() { &VISITORS } else { &TEXTS }, self.drawn >> 16);
        let long = |text: &str| format!("{}{}", text, LONG.repeat(60));
        Some(text.strip_suffix("%long").map_or_else(|| text.to_owned(), long).replace("%", goods))
    }

    pub(super) fn reactions(self, now: i64) -> u64 {
        grown(self.liked(), now - self.at)
    }

    pub(super) fn shares(self, now: i64) -> u64 {
        grown(self.liked() * (self.drawn >> 24 & 0x1f) / 150, now - self.at)
    }

    pub(super) fn comments(self, now: i64) -> u64 {
        grown(self.commented(), now - self.at)
    }

    /// When the comment of this place was made; they are counted from 0.
    pub(super) fn commented_at(self, place: u64) -> i64 {
        let all = self.commented() + 1;
        let after = (GRAPH_GROWTH_SECONDS * (place + 1) * (place + 1)).div_ceil(all * all);
        self.at + after as i64
    }

    /// What the comment of this place says.
    pub(super) fn comment(self, place: u64) -> &'static str {
        pick(&COMMENTS, draw(self.drawn, place))
    }

    /// Few are liked by many: the square of luck, and one in 32 goes round.
    fn liked(self) -> u64 {
        let luck = self.drawn >> 40 & 0x3ff;
        let round = if self.drawn >> 50 & 0x1f == 0 { 8 } else { 1 };
        (2 + luck * luck / 20_000) * round
    }

    fn commented(self) -> u64 {
        self.liked() * (self.drawn >> 30 & 0x1f) / 60
    }
}

/// A number that belongs to these.
fn draw(seed: u64, of: u64) -> u64 {
    Chance::new(seed ^ of.rotate_left(24)).draw()
}

/// How many of all there are so long after the post.
fn grown(all: u64, age: i64) -> u64 {
    // Place and time as in `Post::commented_at`.
    let age = age.clamp(0, GRAPH_GROWTH_SECONDS as i64).unsigned_abs();
    (age * (all + 1) * (all + 1) / GRAPH_GROWTH_SECONDS).isqrt().min(all)
}

fn pick(texts: &'static [&'static str], drawn: u64) -> &'static str {
    texts.get(drawn as usize % texts.len().max(1)).copied().unwrap_or_default()
}

const GOODS: [&str; 8] = [
    "rye bread",
    "plum cake",
    "poppy seed rolls",
    "Streuselschnecken",
    "cinnamon buns",
    "apple strudel",
    "pain au chocolat",
    "sourdough",
];

/// `%` stands for what is baked.
const TEXTS: [&str; 12] = [
    "Fresh out of the oven: % 🥖",
    "Only today: two % for the price of one",
    "We open at seven tomorrow, and there will be % ☕️",
    "Who can guess what is in our new %? 🤔",
    "Look who came by for our %!\n\nThank you all for the queue 👩‍🍳❤️\n#baking #city",
    "We are looking for somebody who bakes % with us from spring on. Write to us!",
    "Sold out: %. Come earlier next time 😅",
    "Recipe of the week: % https://example.com/recipes?id=7&lang=en",
    "<script>alert(1)</script> was what our till printed & nobody ordered \"%\"",
    "היום אצלנו: % 🍞 עד שש בערב",
    "مفتوح اليوم حتى السادسة مساءً، %",
    "The whole story of our %.%long",
];

const VISITORS: [&str; 3] = [
    "Had your % this morning, wonderful!",
    "Is there any % left?",
    "Left my umbrella <b>at your place</b> ☂️ (it stands beside the %)",
];

const LONG: &str = " It began with a handful of flour, water and nothing else, and then we waited for a day. 🌾";

const COMMENTS: [&str; 8] = [
    "nice",
    "How much is it?",
    "❤️❤️❤️",
    "Are you open on Sunday?",
    "<img src=x onerror=alert(1)>",
    "יום טוב!",
    "Best in town 👨‍👩‍👧‍👦",
    "Last time it was sold out at nine, so I got up at six, and now there is a queue around the corner.",
];
