//! Things found by their keys: a list in order of the keys, with the verbs of the standard library's maps.
//!
//! A tree or a hash table brings 6 KB of its own into the program for each kind of key and thing; this brings half a
//! kilobyte. It is as quick for a few hundred things, and good enough for some thousands: a new one moves all behind it,
//! so what is large should lie in a `Box`.

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::{Bound, RangeBounds};
use std::slice;

/// Things by their keys, in order of the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf<Key, Thing>(Vec<(Key, Thing)>);

impl<Key, Thing> Default for Shelf<Key, Thing> {
    fn default() -> Shelf<Key, Thing> {
        Shelf::new()
    }
}

impl<Key, Thing> Shelf<Key, Thing> {
    /// An empty one.
    pub const fn new() -> Shelf<Key, Thing> {
        Shelf(Vec::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> Iter<'_, Key, Thing> {
        self.0.iter().map(both)
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Key> + ExactSizeIterator {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Thing> + ExactSizeIterator {
        self.0.iter().map(|(_, thing)| thing)
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut Thing> {
        self.0.iter_mut().map(|(_, thing)| thing)
    }

    pub fn into_values(self) -> impl Iterator<Item = Thing> {
        self.0.into_iter().map(|(_, thing)| thing)
    }

    pub fn first_key_value(&self) -> Option<(&Key, &Thing)> {
        self.0.first().map(both)
    }

    pub fn last_key_value(&self) -> Option<(&Key, &Thing)> {
        self.0.last().map(both)
    }

    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Thing)> {
        self.0.iter_mut().map(|(key, thing)| (&*key, thing))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    pub fn pop_first(&mut self) -> Option<(Key, Thing)> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Leaves only those of which `stays` says so.
    pub fn retain(&mut self, mut stays: impl FnMut(&Key, &mut Thing) -> bool) {
        self.0.retain_mut(|(key, thing)| stays(key, thing));
    }
}

impl<Key: Ord, Thing> Shelf<Key, Thing> {
    /// Where a key is, or where it belongs.
    fn place<Name: Ord + ?Sized>(&self, name: &Name) -> Result<usize, usize>
    where
        Key: Borrow<Name>,
    {
        self.0.binary_search_by(|(key, _)| key.borrow().cmp(name))
    }

    pub fn contains_key<Name: Ord + ?Sized>(&self, name: &Name) -> bool
    where
        Key: Borrow<Name>,
    {
        self.place(name).is_ok()
    }

    pub fn get<Name: Ord + ?Sized>(&self, name: &Name) -> Option<&Thing>
    where
        Key: Borrow<Name>,
    {
        self.place(name).ok().and_then(|place| self.0.get(place)).map(|(_, thing)| thing)
    }

    pub fn get_mut<Name: Ord + ?Sized>(&mut self, name: &Name) -> Option<&mut Thing>
    where
        Key: Borrow<Name>,
    {
        self.place(name).ok().and_then(|place| self.0.get_mut(place)).map(|(_, thing)| thing)
    }

    /// Puts a thing in its place, and gives back what was there.
    pub fn insert(&mut self, key: Key, thing: Thing) -> Option<Thing> {
        match self.place(&key) {
            Ok(place) => self.0.get_mut(place).map(|(_, there)| mem::replace(there, thing)),
            Err(place) => {
                self.0.insert(place, (key, thing));
                None
            }
        }
    }

    pub fn remove<Name: Ord + ?Sized>(&mut self, name: &Name) -> Option<Thing>
    where
        Key: Borrow<Name>,
    {
        self.place(name).ok().map(|place| self.0.remove(place).1)
    }

    /// Those whose keys are between these two, in order.
    pub fn range(&self, keys: impl RangeBounds<Key>) -> Iter<'_, Key, Thing> {
        let start = match keys.start_bound() {
            Bound::Unbounded => 0,
            Bound::Included(from) => self.0.partition_point(|(key, _)| key < from),
            Bound::Excluded(from) => self.0.partition_point(|(key, _)| key <= from),
        };
        let end = match keys.end_bound() {
            Bound::Unbounded => self.0.len(),
            Bound::Included(to) => self.0.partition_point(|(key, _)| key <= to),
            Bound::Excluded(to) => self.0.partition_point(|(key, _)| key < to),
        };
        self.0.get(start..end).unwrap_or_default().iter().map(both)
    }
}

impl<Key: Ord, Thing: Default> Shelf<Key, Thing> {
    /// The thing with this key; where there is none, a new one.
    pub fn at(&mut self, key: Key) -> &mut Thing {
        self.at_or(key, Thing::default)
    }
}

impl<Key: Ord, Thing> Shelf<Key, Thing> {
    /// The thing with this key; where there is none, this one.
    pub fn at_or(&mut self, key: Key, new: impl FnOnce() -> Thing) -> &mut Thing {
        let place = match self.place(&key) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (key, new()));
                place
            }
        };
        #[allow(clippy::indexing_slicing, reason = "it is there, or was put there just now")]
        &mut self.0[place].1
    }
}

/// Both of a pair that lies there.
fn both<Key, Thing>((key, thing): &(Key, Thing)) -> (&Key, &Thing) {
    (key, thing)
}

/// Keys and things in order.
pub type Iter<'a, Key, Thing> =
    std::iter::Map<slice::Iter<'a, (Key, Thing)>, fn(&'a (Key, Thing)) -> (&'a Key, &'a Thing)>;

impl<Key: Ord, Thing> Extend<(Key, Thing)> for Shelf<Key, Thing> {
    fn extend<Things: IntoIterator<Item = (Key, Thing)>>(&mut self, things: Things) {
        for (key, thing) in things {
            self.insert(key, thing);
        }
    }
}

impl<Key: Ord, Thing> FromIterator<(Key, Thing)> for Shelf<Key, Thing> {
    /// Of two with one key the later stays.
    fn from_iter<Things: IntoIterator<Item = (Key, Thing)>>(things: Things) -> Shelf<Key, Thing> {
        let mut shelf = Shelf::new();
        shelf.extend(things);
        shelf
    }
}

impl<Key: Ord, Thing, const COUNT: usize> From<[(Key, Thing); COUNT]> for Shelf<Key, Thing> {
    fn from(things: [(Key, Thing); COUNT]) -> Shelf<Key, Thing> {
        things.into_iter().collect()
    }
}

impl<Key, Thing> IntoIterator for Shelf<Key, Thing> {
    type Item = (Key, Thing);
    type IntoIter = std::vec::IntoIter<(Key, Thing)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, Key, Thing> IntoIterator for &'a Shelf<Key, Thing> {
    type Item = (&'a Key, &'a Thing);
    type IntoIter = Iter<'a, Key, Thing>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<Key: Serialize, Thing: Serialize> Serialize for Shelf<Key, Thing> {
    fn serialize<To: Serializer>(&self, to: To) -> Result<To::Ok, To::Error> {
        to.collect_map(self.iter())
    }
}

impl<'de, Key: Deserialize<'de> + Ord, Thing: Deserialize<'de>> Deserialize<'de> for Shelf<Key, Thing> {
    fn deserialize<From: Deserializer<'de>>(from: From) -> Result<Shelf<Key, Thing>, From::Error> {
        from.deserialize_map(Filling(PhantomData))
    }
}

/// Fills a shelf with what is read.
struct Filling<Key, Thing>(PhantomData<(Key, Thing)>);

impl<'de, Key: Deserialize<'de> + Ord, Thing: Deserialize<'de>> Visitor<'de> for Filling<Key, Thing> {
    type Value = Shelf<Key, Thing>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a map")
    }

    fn visit_map<From: MapAccess<'de>>(self, mut from: From) -> Result<Shelf<Key, Thing>, From::Error> {
        let mut shelf = Shelf::new();
        while let Some((key, thing)) = from.next_entry()? {
            shelf.insert(key, thing);
        }
        Ok(shelf)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luck::Luck;
    use std::collections::BTreeMap;

    #[test]
    fn it_holds_what_a_tree_would_hold_after_any_steps() {
        let mut luck = Luck::of(7);
        let (mut shelf, mut tree) = (Shelf::new(), BTreeMap::new());
        for step in 0..4000_u32 {
            let key = luck.below(64) as u8;
            match luck.below(6) {
                0 | 1 => assert_eq!(shelf.insert(key, step), tree.insert(key, step)),
                2 => assert_eq!(shelf.remove(&key), tree.remove(&key)),
                3 => assert_eq!(mem::replace(shelf.at(key), step), mem::replace(tree.entry(key).or_default(), step)),
                4 if step % 5 == 0 => assert_eq!(shelf.pop_first(), tree.pop_first()),
                _ => assert_eq!(shelf.get(&key), tree.get(&key)),
            }
            assert!(shelf.iter().eq(tree.iter()), "after step {step}");
            assert!(shelf.range(key..).eq(tree.range(key..)) && shelf.range(..key).eq(tree.range(..key)));
            let behind = (Bound::Excluded(key), Bound::Unbounded);
            assert!(shelf.range(behind).eq(tree.range(behind)) && shelf.range(..=key).eq(tree.range(..=key)));
            assert_eq!(shelf.last_key_value(), tree.last_key_value());
        }
        let text = serde_json::to_string(&tree).unwrap();
        assert_eq!(serde_json::to_string(&shelf).unwrap(), text);
        assert_eq!(serde_json::from_str::<Shelf<u8, u32>>(&text).unwrap(), shelf);
        shelf.retain(|key, _| key % 2 == 0);
        tree.retain(|key, _| key % 2 == 0);
        assert!(shelf.len() > 8 && shelf.into_iter().eq(tree));
    }

    #[test]
    fn of_two_with_one_key_the_later_stays() {
        let shelf = Shelf::from([("b", 1), ("a", 2), ("b", 3)]);
        assert_eq!(shelf.iter().collect::<Vec<_>>(), [(&"a", &2), (&"b", &3)]);
    }
}
